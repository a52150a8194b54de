// The other silos of this moment, for the engine; MembershipWatch keeps them.
using Estat.Grains.Replication;

namespace Estat.Silo.Replication;

/// <summary>Made before the silo, as the engine needs it: empty until the silo has joined. Any thread may ask.</summary>
/// <param name="zone">This silo's zone; null if it has no name.</param>
internal sealed class ReplicaPeers(string? zone) : IReplicaPeers
{
    private volatile IReadOnlyList<ReplicaPartner> _partners = [];

    /// <summary>Those that are alive and known; replaced, never changed.</summary>
    internal IReadOnlyList<ReplicaPartner> Partners
    {
        get => _partners;
        set => _partners = value;
    }

    /// <inheritdoc/>
    public bool IsAlone => _partners.Count == 0;

    /// <inheritdoc/>
    public IReplicaPartner? Choose(string key, IReplicaPartner? except) => PartnerChoice.Of(
        _partners, key, zone, partner => partner.Zone, partner => partner.Instance, except as ReplicaPartner);
}
