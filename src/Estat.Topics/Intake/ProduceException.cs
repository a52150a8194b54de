namespace Estat.Topics.Intake;

/// <summary>A body that cannot be produced; the message is the sentence for the client.</summary>
internal sealed class ProduceException(string message) : Exception(message)
{
    /// <summary>The line that is wrong, from 1; null: it is not about one line of several.</summary>
    internal int? Line { get; init; }
}
