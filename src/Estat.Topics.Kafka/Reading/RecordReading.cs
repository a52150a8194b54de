// From Kafka's record to a message.
using Confluent.Kafka;
using Estat.Topics.Messages;
using LogMessage = Estat.Topics.Messages.LogMessage;

namespace Estat.Topics.Kafka.Reading;

/// <summary>Nothing of a record is changed but its time: producers set it, and may have set one that no calendar has.</summary>
internal static class RecordReading
{
    // 9999-12-31T23:59:59.999Z
    private const long LatestTime = 253_402_300_799_999;

    /// <summary>The message.</summary>
    internal static LogMessage MessageOf(ConsumeResult<byte[], byte[]> record) => new(
        new MessagePosition(record.Topic, record.Partition.Value, record.Offset.Value),
        Math.Clamp(record.Message.Timestamp.UnixTimestampMs, 0, LatestTime),
        Memory(record.Message.Key), HeadersOf(record.Message.Headers), Memory(record.Message.Value));

    private static IReadOnlyList<MessageHeader> HeadersOf(Headers? headers) =>
        headers is null || headers.Count == 0 ? [] : [.. headers.Select(header => new MessageHeader(header.Key, Memory(header.GetValueBytes())))];

    // Not by ?: alone: null would become empty bytes.
    private static ReadOnlyMemory<byte>? Memory(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes;
}
