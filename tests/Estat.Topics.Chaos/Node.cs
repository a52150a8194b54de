// The server that is judged, over all its lives.
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>One server at one address over one folder. Its methods wait for each other.</summary>
/// <param name="database">TOPICS_DATABASE.</param>
/// <param name="retention">TOPICS_RETENTION.</param>
/// <param name="mostBytes">TOPICS_MAX_SIZE_BYTES.</param>
/// <param name="batch">TOPICS_BATCH.</param>
internal sealed class Node(string database, string retention, long mostBytes, int batch) : IAsyncDisposable
{
    internal const int Partitions = 12;
    private const int MostAttempts = 50;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<string> _output = [];
    private ServerProcess? _server;

    internal Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}"));

    /// <summary>The process that runs now; it may be killed at any moment.</summary>
    internal ServerProcess Server => _server ?? throw new InvalidOperationException("the server was not started");

    /// <summary>What all its lives have printed.</summary>
    internal IEnumerable<string> Output => _output.Concat(_server?.Output ?? []);

    /// <summary>How long keys are remembered, and so how long the log keeps what has them; no producer repeats after as long.</summary>
    internal static TimeSpan Dedup { get; } = TimeSpan.FromMinutes(2);

    /// <summary>The options of a server.</summary>
    internal static Dictionary<string, string> Environment(string database, string folder, string retention, long mostBytes, int batch) => new()
    {
        ["SERVE"] = "topics",
        ["TOPICS_DIR"] = folder,
        ["TOPICS_PARTITIONS"] = Partitions.ToString(CultureInfo.InvariantCulture),
        ["TOPICS_SEGMENT_BYTES"] = (1 << 20).ToString(CultureInfo.InvariantCulture),
        ["TOPICS_RETENTION"] = retention,
        ["TOPICS_DEDUP"] = string.Create(CultureInfo.InvariantCulture, $"{Dedup.TotalSeconds}s"),
        ["TOPICS_MAX_SIZE_BYTES"] = mostBytes.ToString(CultureInfo.InvariantCulture),
        ["TOPICS_MIN_FREE_BYTES"] = "0",
        ["TOPICS_QUEUE_BYTES"] = (4 << 20).ToString(CultureInfo.InvariantCulture),
        ["TOPICS_BATCH"] = batch.ToString(CultureInfo.InvariantCulture),
        ["TOPICS_TAKEOVER"] = "2s",
        ["TOPICS_DATABASE"] = database,
        ["LOG_LEVEL"] = "warning",
    };

    internal Task StartAsync() => Alone(LaunchAsync);

    /// <summary>SIGKILL, and a start over the same folder.</summary>
    /// <param name="pause">How long it is away.</param>
    /// <param name="again">When it is killed once more while it starts; null: it is not.</param>
    internal Task KillAsync(TimeSpan pause, TimeSpan? again) => Alone(async () =>
    {
        await EndAsync(SignalKill);
        await Task.Delay(pause);
        if (again is { } moment)
        {
            _server = ServerProcess.Launch(Options());
            await Task.Delay(moment);
            await EndAsync(SignalKill);
        }

        await LaunchAsync();
    });

    /// <summary>SIGTERM, and a start over the same folder.</summary>
    /// <returns>How it ended.</returns>
    internal async Task<int> DrainAsync()
    {
        int code = 0;
        await Alone(async () =>
        {
            code = await EndAsync(server => server.Terminate());
            await LaunchAsync();
        });
        return code;
    }

    /// <summary>SIGSTOP, and SIGCONT.</summary>
    internal Task SuspendAsync(TimeSpan time) => Alone(async () =>
    {
        Server.Signal(SigStop);
        await Task.Delay(time);
        Server.Signal(SigCont);
    });

    /// <summary>
    /// SIGSTOP; a server over a copy of the folder takes the sink over and is killed; SIGCONT, until it has noticed; SIGKILL and a start.
    /// </summary>
    /// <param name="direct">TOPICS_DATABASE of the other server.</param>
    /// <param name="isIdle">Whether the sink has no transaction open. If it had one, its session would be ended, and not the fence be tried.</param>
    /// <returns>What was wrong; null: nothing.</returns>
    internal async Task<string?> ReplaceAsync(string direct, Func<Task<bool>> isIdle)
    {
        string? fault = null;
        await Alone(async () =>
        {
            // A sink that has never been the owner may take over whenever it comes.
            await Wait.UntilAsync(() => HasStoredAsync(Server), Patience, "the server to store messages");
            Server.Signal(SigStop);
            for (int attempt = 0; attempt < MostAttempts && !await isIdle(); attempt++)
            {
                Server.Signal(SigCont);
                await Task.Delay(attempt);
                Server.Signal(SigStop);
            }

            using var copy = new TempFolder();
            await Command.SucceedAsync(Patience, "cp", "-a", _folder["topics"], copy["topics"]);
            await using (var second = await ServerProcess.StartAsync(Environment(direct, copy["topics"], retention, mostBytes, batch)))
            {
                await Wait.UntilAsync(() => OwnsAsync(second), Patience, "the second server to take the sink over");
                Server.Signal(SigCont);
                try
                {
                    await Wait.UntilAsync(IsStoppedAsync, TimeSpan.FromSeconds(30), "the first server's sink to stop: another one has taken over");
                }
                catch (TimeoutException error)
                {
                    fault = error.Message;
                }
            }

            await EndAsync(SignalKill);
            await LaunchAsync();
        });
        return fault;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
        _gate.Dispose();
    }

    private static void SignalKill(ServerProcess server) => server.Kill();

    private Dictionary<string, string> Options() => new(Environment(database, _folder["topics"], retention, mostBytes, batch))
    {
        ["HTTP_ADDR"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}"),
    };

    private static async Task<bool> HasStoredAsync(ServerProcess server) =>
        await OwnsAsync(server) && (await server.MetricsAsync())["estat_topics_batches_total"] > 0;

    // The lag of a partition is told once it is the sink's.
    private static async Task<bool> OwnsAsync(ServerProcess server) =>
        await server.MetricsAsync() is var metrics && metrics["estat_topics_sink_state{state=\"running\"}"] == 1
        && metrics.Keys.Count(name => name.StartsWith("estat_topics_lag{", StringComparison.Ordinal)) == SentMessages.Topics.Length;

    private async Task<bool> IsStoppedAsync() =>
        (await Server.MetricsAsync())["estat_topics_sink_state{state=\"stopped\"}"] == 1;

    private async Task LaunchAsync() => _server = await ServerProcess.StartAsync(Options());

    private async Task<int> EndAsync(Action<ServerProcess> end)
    {
        ServerProcess server = Server;
        end(server);
        int code = await server.WaitForExitAsync(Patience);
        _output.AddRange(server.Output);
        await server.DisposeAsync();
        return code;
    }

    private async Task Alone(Func<Task> act)
    {
        await _gate.WaitAsync();
        try
        {
            await act();
        }
        finally
        {
            _gate.Release();
        }
    }
}
