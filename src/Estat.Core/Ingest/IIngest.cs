// The port between those who receive events (HTTP today) and those who keep them (this process, or a cluster).
using Estat.Core.Events;

namespace Estat.Core.Ingest;

/// <summary>Whether events were taken.</summary>
public enum Admission
{
    /// <summary>Taken; the ack level says how safe they are.</summary>
    Accepted,

    /// <summary>No room in the queue: 503 with Retry-After.</summary>
    QueueFull,

    /// <summary>The disk is past its high-water mark, or the DLQ at its capacity: 503 with Retry-After.</summary>
    StorageFull,

    /// <summary>The spool's disk refused a write or a flush. The events were not acknowledged; they may be there. 503 with Retry-After.</summary>
    DiskFailed,

    /// <summary>The node is draining: 503 with Retry-After.</summary>
    Draining,

    /// <summary>At <c>replica</c>: no other silo holds a copy. The events were not acknowledged; they may be stored, once. 503 with Retry-After.</summary>
    NoReplica,

    /// <summary>No lane for the events' prefix: too many of them since the process started, or it is that of the quarantine. Nothing was taken. 503 with Retry-After.</summary>
    NoPrefix,

    /// <summary>At a gateway: no silo can be reached, and nothing was taken. 503 with Retry-After.</summary>
    NoSilo,

    /// <summary>At a gateway: the silo died or hung in the call. The events were not acknowledged; they may be stored, once. 503 with Retry-After.</summary>
    Unknown,
}

/// <summary>What became of a request's events.</summary>
/// <param name="Admission">Taken or why not; all of a request's events share it.</param>
/// <param name="Level">The ack level that was reached; of no meaning when refused. Below the level asked for only when <c>stored</c> took too long.</param>
/// <param name="Key">The key of their batch's object; several, separated by commas, for a request that fills more than one (the first eight). Empty when refused.</param>
public readonly record struct Ack(Admission Admission, AckLevel Level, string Key)
{
    /// <summary>Whether the events were taken.</summary>
    public bool IsAccepted => Admission == Admission.Accepted;
}

/// <summary>
/// Takes events. Spans and blocks are read before the call returns its task, which completes once the ack level is reached. Who awaits it may go on on the
/// thread that flushed: what is slow or waits switches to <see cref="Hosting.PoolThread"/> first, or the next flush waits for it.
/// </summary>
public interface IIngest
{
    /// <summary>
    /// Whether the next event of this level is sure to be refused, and how; asked before a body is read, so that a full node answers at once.
    /// The level must be one that the node offers; of a prefix (null is <c>RAW_PREFIX</c>) the lanes are its own.
    /// </summary>
    Admission Outlook(AckLevel level, string? prefix = null);

    /// <summary>Takes one event.</summary>
    ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level);

    /// <summary>An empty block, to be filled with the events of one request, which go below the prefix; null is <c>RAW_PREFIX</c>.</summary>
    LineBlock NewBlock(string? prefix = null);

    /// <summary>Takes all events of a block, or none. The block stays the caller's to dispose of.</summary>
    ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level);
}
