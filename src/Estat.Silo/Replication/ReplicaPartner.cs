// Another silo, as one that holds copies for this one.
using Estat.Grains.Replication;

namespace Estat.Silo.Replication;

/// <summary>The way to one silo's replica grain. It lives from the membership that had it first to the one that has it no more.</summary>
internal sealed class ReplicaPartner(
    SiloAddress silo, WireIdentity identity, IReplicaGrain grain, TimeSpan timeout, TimeProvider time) : IReplicaPartner
{
    private volatile bool _isGone;

    /// <summary>The instance in its keys.</summary>
    internal string Instance => identity.Instance;

    /// <summary>Whether it writes to the same place. One that does not is alive, but is given nothing.</summary>
    internal bool IsOfOneMind { get; init; } = true;

    /// <summary>Its zone; null if it has no name.</summary>
    internal string? Zone => identity.Zone;

    /// <inheritdoc/>
    public string Name => $"{silo.Endpoint} ({identity.Instance})";

    /// <inheritdoc/>
    public bool IsAlive => !_isGone;

    /// <inheritdoc/>
    public async Task<ReplicaAnswer> HoldAsync(ReplicaRecords records)
    {
        // A copy: a message whose call timed out may still be on its way while the batch's own memory is used again.
        var wire = new WireRecords(records.Key, records.OpenedUnixMs, records.FirstSequence, records.Events, records.Lines.ToArray());
        return await grain.HoldAsync(wire).WaitAsync(timeout, time).ConfigureAwait(false) ? ReplicaAnswer.Held : ReplicaAnswer.Refused;
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(IReadOnlyList<string> keys) => grain.ReleaseAsync(keys).WaitAsync(timeout, time);

    /// <summary>Membership has it no more.</summary>
    internal void Leave() => _isGone = true;
}
