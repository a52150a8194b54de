namespace Estat.Topics.Messages;

/// <summary>A message as it is in the log.</summary>
/// <param name="At">Where.</param>
/// <param name="Time">Milliseconds since 1970, as the log stored it.</param>
/// <param name="Key">Bytes; null without. From other producers of Kafka they need not be UTF-8.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Value">Bytes; null is Kafka's tombstone. From other producers of Kafka they need not be JSON.</param>
internal readonly record struct LogMessage(
    MessagePosition At, long Time, ReadOnlyMemory<byte>? Key, IReadOnlyList<MessageHeader> Headers, ReadOnlyMemory<byte>? Value)
{
    /// <summary>Bytes of key, headers and value.</summary>
    internal int Weight
    {
        get
        {
            int bytes = (Key?.Length ?? 0) + (Value?.Length ?? 0);
            foreach (MessageHeader header in Headers)
            {
                bytes += header.Name.Length + (header.Value?.Length ?? 0);
            }

            return bytes;
        }
    }
}
