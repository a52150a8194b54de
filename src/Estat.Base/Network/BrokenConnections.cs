// What .NET's HTTP client throws as an error of a socket becomes the error of HTTP that callers expect.
using System.Net.Sockets;

namespace Estat.Base.Network;

/// <summary>
/// A peer that ends a connection in the moment in which it came about makes <see cref="SocketsHttpHandler"/> (.NET 10.0) throw a bare
/// <see cref="SocketException"/>, as it asks for the peer's address. Nothing was sent then: it is an
/// <see cref="HttpRequestError.ConnectionError"/> like every other.
/// </summary>
/// <param name="inner">What sends.</param>
public sealed class BrokenConnections(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, error.Message, error);
        }
    }
}
