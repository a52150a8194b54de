// The other silos, as one that shows pages itself reaches them.
using Estat.Grains.Administration;
using Estat.Http.Administration;

namespace Estat.Silo.Administration;

/// <summary>Made before the silo, as its listener needs it: empty until the silo has joined. By membership, so a silo that died is in it until the
/// others have declared it dead.</summary>
internal sealed class SiloPeers : IPeerNodes
{
    private volatile Func<IReadOnlyList<IPeerNode>>? _list;

    /// <inheritdoc/>
    public IReadOnlyList<IPeerNode> All => _list?.Invoke() ?? [];

    /// <summary>The silo has joined.</summary>
    internal void Join(IServiceProvider services)
    {
        var membership = services.GetRequiredService<IClusterMembershipService>();
        SiloAddress self = services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var grains = services.GetRequiredService<AdminSiloClient>();
        _list = () =>
        [
            .. membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(self))
                .Select(member => new SiloPeer(member.Name, grains.At(member.SiloAddress))),
        ];
    }

    private sealed class SiloPeer(string name, IAdminSiloGrain grain) : IPeerNode
    {
        /// <inheritdoc/>
        public string Address => name;

        /// <inheritdoc/>
        public async Task<AdminReply> AskAsync(AdminRequest request, CancellationToken cancellationToken) =>
            WireAdmin.ToReply(await grain.AskAsync(WireAdmin.ToWire(request)).WaitAsync(cancellationToken).ConfigureAwait(false));
    }
}
