// The DLQ as the operator sees it.

namespace Estat.Collect.Dlq;

/// <summary>A file of the DLQ.</summary>
/// <param name="Name">Its name, without extension.</param>
/// <param name="Key">The object that it will be.</param>
/// <param name="Events">Lines, by its meta; 0 when that is missing.</param>
/// <param name="Bytes">Size of the payload.</param>
/// <param name="Created">When its batch opened, UTC.</param>
/// <param name="AgeS">Seconds since.</param>
/// <param name="Reason">Why it is here, or why the last attempt failed.</param>
/// <param name="Attempts">Recovery's attempts so far.</param>
/// <param name="NextDue">Not tried before, UTC; null when it is due.</param>
/// <param name="Expired">Whether it is older than DLQ_MAX_AGE.</param>
/// <param name="Form">gzip, or raw for a batch that could not be compressed.</param>
public sealed record DlqFile(
    string Name, string Key, long Events, long Bytes, DateTime Created, double AgeS, string Reason, int Attempts, DateTime? NextDue, bool Expired,
    string Form);

/// <summary>Files by name.</summary>
/// <param name="Files">In the order of their names.</param>
/// <param name="Next">The last one's name when there are more.</param>
/// <param name="Total">Files in the DLQ.</param>
public sealed record DlqPage(IReadOnlyList<DlqFile> Files, string? Next, long Total);

/// <summary>How an order about one file, or one object of the quarantine, ended.</summary>
public enum OrderEnd
{
    /// <summary>It is in RAW.</summary>
    Stored,

    /// <summary>It cannot be read as gzip JSONL and is in the quarantine.</summary>
    Quarantined,

    /// <summary>It was given up.</summary>
    Discarded,

    /// <summary>It stays where it was; the detail says why.</summary>
    Failed,

    /// <summary>There is none of this name.</summary>
    Missing,

    /// <summary>Somebody is at work on it, or on too many others.</summary>
    Busy,

    /// <summary>It holds another number of events than was named.</summary>
    OtherCount,

    /// <summary>The node is starting or stopping.</summary>
    NotNow,
}

/// <summary>What became of an order.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Events">Events that were discarded, or that are there.</param>
/// <param name="Detail">Why it failed, or what is left to do; null when there is nothing to say.</param>
public sealed record OrderResult(OrderEnd End, long Events = 0, string? Detail = null);
