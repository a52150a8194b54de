// The port between a node's batches and their copies on other nodes.
using Estat.Base.Acks;

namespace Estat.Collect.Batching;

/// <summary>The copies that other nodes hold of this node's batches of the level <c>replica</c>. Safe for concurrent use.</summary>
internal interface IBatchCopies
{
    /// <summary>Whether requests must be turned away: there is nobody to hold a copy. Cheap: asked for every request.</summary>
    bool MustRefuse { get; }

    /// <summary>Those of one partition's batches, for its spool writer alone.</summary>
    IGroupCopies Of(Partition partition);

    /// <summary>The store does not take a batch: if its copy is lost, another node gets all of it.</summary>
    Task KeepSafeAsync(SealedBatch batch);

    /// <summary>
    /// Nobody needs the copy any more: the batch is safe in the store or the quarantine, whole, or there is nothing in it. Keys of other nodes'
    /// batches are passed over.
    /// </summary>
    void OnSafe(string key);
}

/// <summary>One partition's. Used by its spool writer's thread: <see cref="Begin"/>, then the sync, then <see cref="End"/>.</summary>
internal interface IGroupCopies
{
    /// <summary>Sends the group's records, but for the chunks that the disk refused.</summary>
    void Begin(List<ChunkLines> group, HashSet<Chunk> refused);

    /// <summary>Waits for the answers. A batch whose copy is not certain to hold everything is ended.</summary>
    void End();

    /// <summary>What events of the batch that were synced here may be acknowledged at; null when they may not be.</summary>
    AckLevel? LevelOf(OpenBatch batch);
}
