// The silos, as a gateway reaches them: over the links that its packets take.
using Estat.Grains.Administration;
using Estat.Http.Administration;
using Estat.Silo.Forwarding;

namespace Estat.Silo.Administration;

/// <summary>All silos of the gateway's list, also those that have never answered.</summary>
internal sealed class LinkedPeers(SiloLinks links) : IPeerNodes
{
    /// <inheritdoc/>
    public IReadOnlyList<IPeerNode> All => [.. links.Listed.Select(link => new LinkedPeer(link))];

    private sealed class LinkedPeer(SiloLink link) : IPeerNode
    {
        /// <inheritdoc/>
        public string Address => link.Name;

        /// <inheritdoc/>
        public async Task<AdminReply> AskAsync(AdminRequest request, CancellationToken cancellationToken) =>
            WireAdmin.ToReply(await link.AskAsync(WireAdmin.ToWire(request), cancellationToken).ConfigureAwait(false));
    }
}
