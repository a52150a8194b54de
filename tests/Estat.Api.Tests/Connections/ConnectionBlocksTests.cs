// The server's connections read into and write from blocks that are kept.
using System.Net;
using Estat.Testing;

namespace Estat.Api.Tests.Connections;

public sealed class ConnectionBlocksTests
{
    [Fact]
    public async Task The_server_takes_what_its_connections_need_from_there()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("one"));
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_connection_idle_bytes"] > 0, TimeSpan.FromSeconds(20),
            "a block of the connection's to come back");
    }
}
