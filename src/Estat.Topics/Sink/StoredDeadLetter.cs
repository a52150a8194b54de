// Dead letters as the operator sees them.
using Estat.Topics.Messages;

namespace Estat.Topics.Sink;

/// <summary>A dead letter in the database.</summary>
/// <param name="Number">What the operator calls it by; grows with each new one.</param>
/// <param name="Id">The id that its row has, or would have.</param>
/// <param name="At">Where it is in the log.</param>
/// <param name="Time">Its time.</param>
/// <param name="Kind">What of it is not stored.</param>
/// <param name="Why">Why.</param>
/// <param name="Content">Its bytes; in lists without the value.</param>
/// <param name="State"><c>open</c>, <c>replayed</c> or <c>discarded</c>.</param>
/// <param name="CreatedAt">Since when it is one.</param>
/// <param name="ResolvedAt">When it was replayed or discarded; null while it is open.</param>
internal sealed record StoredDeadLetter(
    long Number, Guid Id, MessagePosition At, DateTimeOffset Time, DeadLetterKind Kind, Refusal Why, MessageContent Content, string State,
    DateTimeOffset CreatedAt, DateTimeOffset? ResolvedAt)
{
    /// <summary>The message, with its own value or another one.</summary>
    /// <param name="value">The value instead of its own; null: its own.</param>
    internal LogMessage Message(ReadOnlyMemory<byte>? value)
    {
        ReadOnlyMemory<byte>? key = Content.Key is { } bytes ? bytes : default(ReadOnlyMemory<byte>?);
        ReadOnlyMemory<byte>? own = Content.Value is { } given ? given : default(ReadOnlyMemory<byte>?);
        return new(At, Time.ToUnixTimeMilliseconds(), key, Headers.Read(Content.Headers), value ?? own);
    }
}

/// <summary>Which dead letters are listed.</summary>
/// <param name="Topic">Of a topic; null: of all.</param>
/// <param name="Kind">Of a kind; null: of all.</param>
/// <param name="State">In a state; null: in any.</param>
/// <param name="Below">Those with smaller numbers; null: from the newest.</param>
/// <param name="Reason">Of a reason; null: of any.</param>
internal sealed record DeadLetterFilter(
    string? Topic = null, DeadLetterKind? Kind = null, string? State = "open", long? Below = null, string? Reason = null);

/// <summary>What came of an operation on a dead letter.</summary>
internal enum DeadLetterOutcome
{
    /// <summary>It is stored now.</summary>
    Replayed,

    /// <summary>It is given up now.</summary>
    Discarded,

    /// <summary>It was replayed before.</summary>
    WasReplayed,

    /// <summary>It was discarded before.</summary>
    WasDiscarded,

    /// <summary>There is none of that number.</summary>
    NotFound,

    /// <summary>It cannot be stored like this either.</summary>
    Refused,

    /// <summary>A dead letter of its key must be replayed or discarded first.</summary>
    Behind,
}

/// <summary>What came of an operation on a dead letter.</summary>
/// <param name="Outcome">What.</param>
/// <param name="Why">Why it was refused; null otherwise.</param>
/// <param name="Released">Messages that were held behind it, and are stored now.</param>
internal sealed record DeadLetterResult(DeadLetterOutcome Outcome, Refusal? Why = null, long Released = 0);
