// The port to a silo's copies of other silos' batches.
namespace Estat.Grains.Replication;

/// <summary>Holds second copies, and finishes those whose owner is gone. Called from any thread.</summary>
public interface IReplicaHolder
{
    /// <summary>Holds records, in the order of their batch. Never throws.</summary>
    Task<ReplicaAnswer> HoldAsync(ReplicaRecords records);

    /// <summary>Forgets copies of batches that are safe in the store.</summary>
    void Release(IReadOnlyList<string> keys);

    /// <summary>
    /// Tells which instances are alive. One that was among them and is no longer is gone for good: copies of its batches are finished, and it may
    /// begin no more.
    /// </summary>
    /// <param name="aliveInstances">The <c>&lt;instance&gt;</c> of every silo that membership has as active; never a part of them.</param>
    void OnNeighbours(IReadOnlyCollection<string> aliveInstances);
}
