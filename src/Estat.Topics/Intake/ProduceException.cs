namespace Estat.Topics.Intake;

/// <summary>A body that cannot be produced; the message is the sentence for the client.</summary>
internal sealed class ProduceException(string message) : Exception(message);
