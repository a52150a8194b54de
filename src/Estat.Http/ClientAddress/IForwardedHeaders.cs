// The headers by which proxies name a client.
using Microsoft.Extensions.Primitives;

namespace Estat.Http.ClientAddress;

/// <summary>What <see cref="Peer"/> reads of a request, and only where a trusted proxy sent it. A header that was not sent has no values.</summary>
internal interface IForwardedHeaders
{
    /// <summary><see cref="TrustedProxies.Header"/>.</summary>
    StringValues ForwardedFor { get; }

    /// <summary><see cref="Peer.ViewerAddress"/>.</summary>
    StringValues ViewerAddress { get; }
}

/// <summary>Those of a request of Kestrel's.</summary>
/// <param name="headers">All of its headers.</param>
internal readonly struct ForwardedHeaders(IHeaderDictionary headers) : IForwardedHeaders
{
    /// <inheritdoc/>
    public StringValues ForwardedFor => headers[TrustedProxies.Header];

    /// <inheritdoc/>
    public StringValues ViewerAddress => headers[Peer.ViewerAddress];
}
