namespace Estat.Topics.Messages;

/// <summary>A header of a message. Names may repeat; their order is kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Bytes, UTF-8 from our own producers; null is Kafka's null.</param>
internal readonly record struct MessageHeader(string Name, ReadOnlyMemory<byte>? Value);
