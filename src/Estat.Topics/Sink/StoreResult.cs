// What came of an attempt to store a batch.
using Estat.Topics.Messages;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>Numbers of one committed transaction.</summary>
internal sealed class StoreResult
{
    /// <summary>Whether it was committed; else a row of a partition was not as expected, and nothing was stored.</summary>
    internal bool IsStored { get; init; }

    /// <summary>Rows of messages that were not there.</summary>
    internal long Messages { get; set; }

    /// <summary>Typed rows that were not there.</summary>
    internal long Typed { get; set; }

    /// <summary>Messages that were there already.</summary>
    internal long Repeated { get; set; }

    /// <summary>Messages of days that TOPICS_KEEP dropped.</summary>
    internal long Dropped { get; set; }

    /// <summary>New dead letters by kind, in the order of <see cref="DeadLetterKind"/>.</summary>
    internal long[] Letters { get; } = new long[3];

    /// <summary>Portions that were refused and cut.</summary>
    internal long Cuts { get; set; }
}

/// <summary>A message that an error was traced to which is no refusal: it is tried again for ever, unless the operator gives it up.</summary>
/// <param name="At">Where it is.</param>
/// <param name="Error">What the database says to it.</param>
/// <param name="Since">Since when.</param>
internal sealed record PinnedError(MessagePosition At, string Error, DateTimeOffset Since);

/// <summary>What a look for a single message found.</summary>
/// <param name="At">The message.</param>
/// <param name="Error">What the database says to it.</param>
internal sealed record Pin(MessagePosition At, PostgresException Error);
