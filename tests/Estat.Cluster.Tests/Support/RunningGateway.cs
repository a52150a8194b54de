// A gateway's process without the process.
using Estat.Api.Options;
using Estat.Http.Options;
using Estat.Silo.Hosting;

namespace Estat.Cluster.Tests.Support;

/// <summary>A gateway in front of silos that run in the same test.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly GatewayServer _server;

    private RunningGateway(EstatOptions options) => _server = new GatewayServer(options, TimeProvider.System, isTerminal: false);

    internal HttpClient Client { get; } = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Starts one and waits until it is ready, unless told otherwise.</summary>
    internal static async Task<RunningGateway> StartAsync(bool untilReady, params EstatOptions[] silos)
    {
        EstatOptions first = silos[0];
        var gateway = new RunningGateway(first with
        {
            Http = first.Http with { HttpAddr = "127.0.0.1:0" },
            Cluster = first.Cluster with { Role = NodeRole.Gateway, SiloClientAddr = [.. silos.SelectMany(silo => silo.Cluster.SiloClientAddr)] },
        });
        await gateway._server.StartAsync();
        gateway.Client.BaseAddress = gateway._server.Address;
        if (untilReady)
        {
            await gateway.UntilReadyAsync();
        }

        return gateway;
    }

    internal Task UntilReadyAsync() => Wait.UntilAsync(
        async () => (await Client.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode, Limit, "the gateway to be ready");

    internal async Task<HttpResponseMessage> PostAsync(string body, string? level = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/collect", UriKind.Relative)) { Content = new StringContent(body) };
        if (level is not null)
        {
            request.Headers.Add("X-Estat-Ack", level);
        }

        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        _server.Signals.Stop("the test's end");
        Assert.Equal(0, await _server.RunAsync().WaitAsync(Limit));
        await _server.DisposeAsync();
        Client.Dispose();
    }
}
