// The silos that SILO_CLIENT_ADDR names, for localhost clustering.
using System.Net;
using Estat.Http.Options;

namespace Estat.Silo.Clustering;

/// <summary>The same at all times; one that does not answer is avoided until it does.</summary>
internal sealed class NamedSilos(ClusterOptions options) : ISiloList
{
    private readonly IPEndPoint[] _silos =
        [.. options.SiloClientAddr.Select(address => new IPEndPoint(address.Address ?? IPAddress.Loopback, address.Port))];

    /// <inheritdoc/>
    public string Description => string.Join(", ", _silos.AsEnumerable());

    /// <inheritdoc/>
    public Task<IReadOnlyList<IPEndPoint>> ReadAsync() => Task.FromResult<IReadOnlyList<IPEndPoint>>(_silos);

    /// <inheritdoc/>
    public void Dispose()
    {
        // There is nothing to free.
    }
}
