// What a journal refuses, and what it finds wrong.
namespace Estat.Base.Journal;

/// <summary>An append that is not known to be durable.</summary>
/// <param name="isCertainlyNotThere">Whether no reader will ever find the record. If not, a reader may find it after a restart.</param>
/// <param name="cause">What the disk said.</param>
public sealed class JournalFailedException(bool isCertainlyNotThere, Exception cause)
    : IOException($"The record was not made durable: {cause.Message}", cause)
{
    /// <summary>Whether no reader will ever find the record.</summary>
    public bool IsCertainlyNotThere { get; } = isCertainlyNotThere;
}

/// <summary>Something that had been synced is missing or changed. A person must look: put back the folder from a copy, or give it up.</summary>
/// <param name="position">Where.</param>
/// <param name="what">What is wrong.</param>
public sealed class JournalDamagedException(long position, string what) : IOException($"The journal is damaged at position {position}: {what}")
{
    /// <summary>Where; bytes from the journal's first one.</summary>
    public long Position { get; } = position;
}

/// <summary>A position whose segment was deleted.</summary>
/// <param name="position">What was asked for.</param>
/// <param name="start">Where the oldest block is that the journal still has.</param>
public sealed class JournalDeletedException(long position, long start)
    : IOException($"Position {position} of the journal was deleted; what it still has begins at {start}")
{
    /// <summary>Where the oldest block is that the journal still has.</summary>
    public long Start { get; } = start;
}
