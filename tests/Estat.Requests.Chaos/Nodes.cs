// The servers that users ask, and what is done to them.
using System.Globalization;
using Estat.Base.Network;

namespace Estat.Requests.Chaos;

/// <summary>One server or several over one store.</summary>
internal abstract class Nodes : IAsyncDisposable
{
    private static readonly TimeSpan ForStart = TimeSpan.FromSeconds(60);

    // What a node knows of others' work is a second old at most.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    private readonly TempFolder _folder;
    private readonly int[] _ports;
    private readonly ServerProcess?[] _servers;

    private protected Nodes(TempFolder folder, int count)
    {
        _folder = folder;
        _ports = [.. Enumerable.Range(0, count).Select(_ => FreePort.Next())];
        _servers = new ServerProcess?[count];
    }

    /// <summary>Whether each campaign has outcome numbers of its own.</summary>
    internal abstract bool HaveNumbersByCampaign { get; }

    /// <summary>What was done to them.</summary>
    internal abstract string Disturbances { get; }

    /// <summary>The operator's.</summary>
    internal HttpClient Client => _servers[0]!.Client;

    private protected int Count => _servers.Length;

    /// <summary>A client that knows no server.</summary>
    internal static HttpClient NewClient() => new(new BrokenConnections(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 32 }))
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    /// <summary>A path at any of the servers.</summary>
    internal Uri To(string path) =>
        new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_ports[Random.Shared.Next(_ports.Length)]}{path}"));

    /// <summary>Does the next thing to them.</summary>
    internal abstract Task<string> DisturbAsync();

    /// <summary>Nothing is done to them any more.</summary>
    internal virtual Task CalmAsync() => Task.CompletedTask;

    /// <summary>The metrics of the first one.</summary>
    internal Task<IReadOnlyDictionary<string, double>> MetricsAsync() => _servers[0]!.MetricsAsync();

    /// <summary>Waits until a number is right on all servers, and stays so.</summary>
    internal async Task UntilAsync(
        Func<IReadOnlyDictionary<string, double>, double> read, Func<double, bool> isRight, TimeSpan patience, string what)
    {
        string seen = "";
        long since = 0;
        await Wait.UntilAsync(
            async () =>
            {
                double[] numbers = [.. (await Task.WhenAll(_servers.Select(server => server!.MetricsAsync()))).Select(read)];
                seen = string.Join(", ", numbers);
                since = !numbers.All(isRight) ? 0 : since == 0 ? TimeProvider.System.GetTimestamp() : since;
                return since != 0 && (Count == 1 || TimeProvider.System.GetElapsedTime(since) > Settling);
            },
            patience, what, () => seen);
    }

    /// <summary>Ends all of them in order.</summary>
    internal async Task StopAsync()
    {
        foreach (ServerProcess server in _servers.OfType<ServerProcess>())
        {
            server.Terminate();
            await server.WaitForExitAsync(ForStart);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (ServerProcess server in _servers.OfType<ServerProcess>())
        {
            await server.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private protected abstract IEnumerable<(string Name, string Value)> Options { get; }

    private protected ServerProcess Server(int index) => _servers[index]!;

    private protected async Task StartAsync(int index) => _servers[index] = await ServerProcess.StartAsync(
        new Dictionary<string, string>(Options.Select(option => KeyValuePair.Create(option.Name, option.Value)))
        {
            ["SERVE"] = "requests",
            ["HTTP_ADDR"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports[index]}"),
            ["STORAGE_DIR"] = _folder["data"],
            ["REQUESTS_OUTCOME_INTERVAL"] = "1s",
            ["REQUESTS_USER_RATE"] = "1000000",
            ["REQUESTS_LEASE"] = "4s",
            ["REQUESTS_WEBHOOK_NETWORKS"] = "127.0.0.0/8",
            ["LOG_LEVEL"] = "warning",
        });

    private protected async Task KillAsync(int index)
    {
        ServerProcess server = Server(index);
        server.Kill();
        await server.WaitForExitAsync(ForStart);
        await server.DisposeAsync();
        await StartAsync(index);
    }
}

/// <summary>One server over SQLite: it is killed.</summary>
internal sealed class OneNode : Nodes
{
    private readonly TempFolder _folder;
    private int _kills;

    private OneNode(TempFolder folder)
        : base(folder, 1) => _folder = folder;

    /// <inheritdoc/>
    internal override bool HaveNumbersByCampaign => false;

    /// <inheritdoc/>
    internal override string Disturbances => $"{_kills} kills";

    private protected override IEnumerable<(string Name, string Value)> Options => [("REQUESTS_DIR", _folder["requests"])];

    internal static async Task<Nodes> StartAsync(TempFolder folder)
    {
        var nodes = new OneNode(folder);
        await nodes.StartAsync(0);
        return nodes;
    }

    /// <inheritdoc/>
    internal override async Task<string> DisturbAsync()
    {
        await KillAsync(0);
        return $"kill {++_kills}";
    }
}
