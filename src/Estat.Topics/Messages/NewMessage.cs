namespace Estat.Topics.Messages;

/// <summary>What a producer sends.</summary>
/// <param name="Key">UTF-8; null: the log chooses the partition, and no order is promised.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Value">JSON in UTF-8.</param>
internal readonly record struct NewMessage(ReadOnlyMemory<byte>? Key, IReadOnlyList<MessageHeader> Headers, ReadOnlyMemory<byte> Value);
