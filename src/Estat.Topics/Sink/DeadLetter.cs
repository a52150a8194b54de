// What is kept of a message that cannot be stored as it is.
using Estat.Topics.Messages;

namespace Estat.Topics.Sink;

/// <summary>What of a message is not stored.</summary>
internal enum DeadLetterKind
{
    /// <summary>All of it.</summary>
    Message,

    /// <summary>Only its typed row.</summary>
    Typed,

    /// <summary>All of it, because a dead letter of its key is before it.</summary>
    Held,
}

/// <summary>A new dead letter.</summary>
/// <param name="Id">The id that its row has, or would have.</param>
/// <param name="At">Where it is in the log.</param>
/// <param name="Time">Milliseconds since 1970, brought within what a row can have.</param>
/// <param name="Kind">What of it is not stored.</param>
/// <param name="Why">Why.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record DeadLetter(Guid Id, MessagePosition At, long Time, DeadLetterKind Kind, Refusal Why, MessageContent Content)
{
    /// <summary>The kind as the database has it.</summary>
    /// <param name="kind">A kind.</param>
    internal static string NameOf(DeadLetterKind kind) => kind switch
    {
        DeadLetterKind.Message => "message",
        DeadLetterKind.Typed => "typed",
        _ => "held",
    };

    /// <summary>The kind that the database has.</summary>
    /// <param name="name">Of <see cref="NameOf"/>.</param>
    internal static DeadLetterKind KindOf(string name) => name switch
    {
        "message" => DeadLetterKind.Message,
        "typed" => DeadLetterKind.Typed,
        _ => DeadLetterKind.Held,
    };
}

/// <summary>A message's bytes, of its own.</summary>
/// <param name="Key">Null without.</param>
/// <param name="Headers">As <see cref="Sink.Headers"/> packs them.</param>
/// <param name="Value">Null is Kafka's tombstone.</param>
internal sealed record MessageContent(byte[]? Key, byte[] Headers, byte[]? Value);
