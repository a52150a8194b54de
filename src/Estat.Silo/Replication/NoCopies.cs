// A silo that holds no copies for others.
using Estat.Core.Replication;

namespace Estat.Silo.Replication;

/// <summary>Refuses all.</summary>
internal sealed class NoCopies : IReplicaHolder
{
    /// <inheritdoc/>
    public Task<ReplicaAnswer> HoldAsync(ReplicaRecords records) => Task.FromResult(ReplicaAnswer.Refused);

    /// <inheritdoc/>
    public void Release(IReadOnlyList<string> keys)
    {
    }

    /// <inheritdoc/>
    public void OnNeighbours(IReadOnlyCollection<string> aliveInstances)
    {
    }
}
