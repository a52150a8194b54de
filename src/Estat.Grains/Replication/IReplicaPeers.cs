// The port between a silo's own batches and the silos that hold their second copies.
namespace Estat.Grains.Replication;

/// <summary>What a partner says to records.</summary>
public enum ReplicaAnswer
{
    /// <summary>They are in its spool, synced, behind all records of the batch before them.</summary>
    Held,

    /// <summary>It takes no more for this batch, ever: it has finished it, believing its owner dead, or its own disk failed.</summary>
    Refused,
}

/// <summary>One group of a batch's records on its way to the partner.</summary>
/// <param name="Key">The batch's key; says whose batch it is (<c>ObjectKeys.InstanceOf</c>).</param>
/// <param name="OpenedUnixMs">When the batch opened, UTC, milliseconds since 1970.</param>
/// <param name="FirstSequence">Sequence number of the first event in <paramref name="Lines"/>, counted from 1 in each batch.</param>
/// <param name="Events">Lines.</param>
/// <param name="Lines">Whole JSONL lines, as they will stand in the object. Valid until the call that carries it completes.</param>
public readonly record struct ReplicaRecords(string Key, long OpenedUnixMs, long FirstSequence, int Events, ReadOnlyMemory<byte> Lines);

/// <summary>Another silo, as one that holds copies for this one.</summary>
public interface IReplicaPartner
{
    /// <summary>Its name, for people.</summary>
    string Name { get; }

    /// <summary>Whether membership still has it. Once false, always false: a silo that restarts is another partner.</summary>
    bool IsAlive { get; }

    /// <summary>Has records held. At most one call at a time for each batch.</summary>
    /// <exception cref="Exception">Anything: nobody knows whether it holds them. Ends within REPLICA_TIMEOUT.</exception>
    Task<ReplicaAnswer> HoldAsync(ReplicaRecords records);

    /// <summary>Tells it that these batches are safe in the store, so that it may forget its copies. A lost call is made good by its own
    /// looking.</summary>
    Task ReleaseAsync(IReadOnlyList<string> keys);
}

/// <summary>The other silos.</summary>
public interface IReplicaPeers
{
    /// <summary>Whether there is nobody to choose. Cheap: asked for every request.</summary>
    bool IsAlone { get; }

    /// <summary>Who shall hold a new batch: spread over all, in another zone than this silo's when zones are named. Null when there is
    /// nobody.</summary>
    /// <param name="key">The batch's key.</param>
    /// <param name="except">A partner that just failed; taken only if there is nobody else.</param>
    IReplicaPartner? Choose(string key, IReplicaPartner? except);
}
