// A Redis for tests: a real redis-server on a port of its own.

using System.Globalization;

namespace Estat.Testing;

/// <summary>One server, in memory. It ends at dispose, or with the test process. <see cref="RestartAsync"/> starts it again, empty.</summary>
public sealed class RedisServer : MembershipStore
{
    private const string EnsureScript = "scripts/ensure-redis.sh";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string[] _more;
    private ChildProcess _process;

    private RedisServer(int port, string[] more)
    {
        Port = port;
        _more = more;
        _process = Launch();
    }

    /// <inheritdoc/>
    public override int Port { get; }

    /// <summary>Where it listens, as REDIS_ENDPOINT takes it.</summary>
    public string Endpoint => AddressOf(Port);

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Output => _process.Output;

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    public static bool Available(out string reason)
    {
        var isThere = Command.Exists("redis-server") && Command.Exists("redis-cli");
        reason = isThere ? "" : $"no redis-server on PATH: {EnsureScript} installs it, or says how";
        return reason.Length == 0;
    }

    /// <summary>Starts one, in a tenth of a second.</summary>
    /// <param name="more">Arguments of redis-server besides.</param>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<RedisServer> StartAsync(params string[] more)
    {
        var server = new RedisServer(FreePort.Next(), more);
        try
        {
            await server.UntilListeningAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL and another start at the same port, without data.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = Launch();
        await UntilListeningAsync();
    }

    /// <summary>Runs a command in it by redis-cli, and gives what it answered.</summary>
    public Task<string> CallAsync(params string[] command) =>
        Command.SucceedAsync(Limit, "redis-cli", ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), .. command]);

    /// <inheritdoc/>
    public override void Point(IDictionary<string, string> options, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options["CLUSTERING"] = Redis;
        options["REDIS_ENDPOINT"] = AddressOf(port ?? Port);
    }

    /// <inheritdoc/>
    public override async Task EmptyAsync(string clusterId)
    {
        // Orleans' reader takes a table without its version for one that cannot be read.
        if (await SilosAsync(clusterId) is { Length: > 0 } silos)
        {
            await CallAsync(["HDEL", TableOf(clusterId), .. silos]);
        }
    }

    /// <inheritdoc/>
    public override async Task<int> CountAsync(string clusterId) => (await SilosAsync(clusterId)).Length;

    /// <inheritdoc/>
    public override void Stop() => _process.Stop();

    /// <inheritdoc/>
    public override void Continue() => _process.Continue();

    public override ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string TableOf(string clusterId) => $"estat/{clusterId}/members";

    private static string AddressOf(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private async Task<string[]> SilosAsync(string clusterId) =>
    [
        .. (await CallAsync("HKEYS", TableOf(clusterId))).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(field => field != "Version"),
    ];

    private ChildProcess Launch() => ChildProcess.Launch(
        "redis-server",
        ["redis-server", "--bind", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--save", "", "--appendonly", "no", .. _more],
        new Dictionary<string, string>());

    private Task UntilListeningAsync() => Wait.UntilAsync(
        () =>
        {
            _process.ThrowIfEnded("it listened");
            return _process.Output.Any(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        },
        Limit,
        "redis-server to listen",
        () => _process.AllOutput);
}
