// Whether events were taken, and how safe they are.
namespace Estat.Base.Acks;

/// <summary>Whether events were taken.</summary>
public enum Admission
{
    /// <summary>Taken; the ack level says how safe they are.</summary>
    Accepted,

    /// <summary>No room in the queue: 503 with Retry-After.</summary>
    QueueFull,

    /// <summary>The disk is past its high-water mark, or the DLQ at its capacity: 503 with Retry-After.</summary>
    StorageFull,

    /// <summary>The spool's disk refused a write or a sync. The events were not acknowledged; they may be there. 503 with Retry-After.</summary>
    DiskFailed,

    /// <summary>The node is draining: 503 with Retry-After.</summary>
    Draining,

    /// <summary>At <c>replica</c>: no other silo holds a copy. The events were not acknowledged; they may be stored, once. 503 with
    /// Retry-After.</summary>
    NoReplica,

    /// <summary>No partition for the events' prefix: too many of them since the process started, or it is that of the quarantine. Nothing was taken.
    /// 503 with Retry-After.</summary>
    NoPrefix,

    /// <summary>At a gateway: no silo can be reached, and nothing was taken. 503 with Retry-After.</summary>
    NoSilo,

    /// <summary>At a gateway: the silo died or hung in the call. The events were not acknowledged; they may be stored, once. 503 with
    /// Retry-After.</summary>
    Unknown,
}

/// <summary>What became of a request's events.</summary>
/// <param name="Admission">Taken or why not; all of a request's events share it.</param>
/// <param name="Level">The ack level that was reached; of no meaning when refused. Below the level asked for only when <c>stored</c> took too
/// long.</param>
/// <param name="Key">The key of their batch's object; several, separated by commas, for a request that fills more than one (the first eight). Empty
/// when refused.</param>
public readonly record struct Ack(Admission Admission, AckLevel Level, string Key)
{
    /// <summary>Whether the events were taken.</summary>
    public bool IsAccepted => Admission == Admission.Accepted;
}
