// What became of messages that a producer sent.
using Estat.Topics.Messages;

namespace Estat.Topics.Log;

/// <summary>Whether they were taken.</summary>
internal enum ProduceOutcome
{
    /// <summary>All are in the log, as safe as its ack level says.</summary>
    Taken,

    /// <summary>All were in the log before: the HTTP request is a repetition.</summary>
    Repeated,

    /// <summary>The <c>Idempotency-Key</c> came before with another body. Nothing was taken.</summary>
    OtherBody,

    /// <summary>There is no such topic.</summary>
    NoTopic,

    /// <summary>Too much waits for the disk or the broker. Nothing was taken.</summary>
    Busy,

    /// <summary>The log is at TOPICS_MAX_SIZE_BYTES, or its disk has too little room. Nothing was taken.</summary>
    Full,

    /// <summary>TOPICS_DEDUP_MAX idempotency keys are remembered. Nothing was taken.</summary>
    TooManyKeys,

    /// <summary>The node is draining. Nothing was taken.</summary>
    Draining,

    /// <summary>The disk or the broker refused. Nothing was taken.</summary>
    Failed,

    /// <summary>The disk or the broker failed: some or all may be there.</summary>
    Perhaps,
}

/// <summary>What became of a production.</summary>
/// <param name="Outcome">Whether it was taken.</param>
/// <param name="Positions">For each message where it is, in the order in which they were sent; of a <see cref="ProduceOutcome.Perhaps"/> null where
/// that is not known. Empty when nothing was taken.</param>
/// <param name="Detail">What the operator should know of a failure; null without.</param>
internal sealed record Produced(ProduceOutcome Outcome, IReadOnlyList<MessagePosition?> Positions, string? Detail = null);
