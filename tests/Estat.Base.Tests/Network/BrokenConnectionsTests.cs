using System.Net.Sockets;
using Estat.Base.Network;

namespace Estat.Base.Tests.Network;

public sealed class BrokenConnectionsTests
{
    [Fact]
    public async Task An_error_of_a_socket_is_a_connection_that_did_not_come_about()
    {
        using var client = new HttpClient(new BrokenConnections(new Reset()));
        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://127.0.0.1/")));
        Assert.Equal(HttpRequestError.ConnectionError, error.HttpRequestError);
        Assert.Equal(SocketError.NotConnected, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    }

    // A real socket does this in a moment that cannot be met on purpose.
    private sealed class Reset : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new SocketException((int)SocketError.NotConnected);
    }
}
