// An SQS for tests: deploy/local/sqs.js on a port of its own. It forgets everything at its end.

namespace Estat.Testing;

/// <summary>One emulator. It ends at dispose, or with the test process.</summary>
public sealed class SqsEmulator : IAsyncDisposable
{
    private const string Folder = "sqs";
    private readonly LocalServer _server;

    private SqsEmulator(LocalServer server) => _server = server;

    /// <summary>Where it listens, as a port of 127.0.0.1.</summary>
    public int Port => _server.Port;

    /// <summary>Where it listens, as a URL.</summary>
    public string Endpoint => _server.Endpoint;

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Output => _server.Output;

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    public static bool Available(out string reason) => LocalServer.Available(Folder, "fauxqs", "scripts/ensure-sqs.sh", out reason);

    /// <summary>Starts one, in about half a second.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<SqsEmulator> StartAsync() => new(await LocalServer.StartAsync("the SQS emulator", "sqs.js", Folder));

    /// <summary>Sets what it does wrong from now on; without an argument, nothing.</summary>
    public Task FaultsAsync(SqsFaults? faults = null) => _server.SetFaultsAsync((faults ?? new SqsFaults()).Settings);

    /// <summary>How often each kind of fault has happened since the start, by the names of /__faults.</summary>
    public Task<IReadOnlyDictionary<string, int>> FaultCountsAsync() => _server.FaultCountsAsync();

    /// <summary>Lets it stand still: connections are accepted by the kernel and never answered.</summary>
    public void Stop() => _server.Stop();

    /// <summary>Lets it go on; everything in it is still there.</summary>
    public void Continue() => _server.Continue();

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
