// Estat as it is run: one process, or a gateway before a silo, over a folder of its own.
using System.Globalization;
using Estat.Lake.Names;
using Estat.Testing;

namespace Estat.Bench.Nodes;

/// <summary>The first process takes the requests; all count.</summary>
internal sealed class EstatNode : INode
{
    private const string Allocated = "dotnet_gc_heap_total_allocated_total";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);
    private readonly IReadOnlyList<ServerProcess> _processes;
    private readonly string _folder;

    private EstatNode(string folder, IReadOnlyList<ServerProcess> processes)
    {
        _folder = folder;
        _processes = processes;
    }

    public Uri Address => _processes[0].BaseAddress;

    public TimeSpan CpuTime => _processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.CpuTime);

    public long ResidentBytes => _processes.Sum(process => process.ResidentBytes);

    /// <summary>The standalone server.</summary>
    /// <param name="folder">Of its own; made if it is missing.</param>
    /// <param name="options">Beside those that say where it keeps things.</param>
    internal static Task<EstatNode> StandaloneAsync(string folder, params (string Name, string Value)[] options) =>
        StartAsync(folder, environment => [ServerProcess.Launch(environment(options))]);

    /// <summary>The standalone server of another build.</summary>
    /// <param name="assembly">Path of its Estat.Api.dll.</param>
    /// <param name="folder">Of its own; made if it is missing.</param>
    /// <param name="options">Beside those that say where it keeps things.</param>
    internal static Task<EstatNode> OtherBuildAsync(string assembly, string folder, params (string Name, string Value)[] options) =>
        StartAsync(folder, environment => [ServerProcess.LaunchBuild(assembly, environment(options))]);

    /// <summary>A cluster's node that is gateway and silo in one process.</summary>
    internal static Task<EstatNode> CohostedAsync(string folder) => StartAsync(
        folder,
        environment => [Silo("a node", environment([("ROLE", "both"), ("SILO_ADDR", Listen()), ("SILO_CLIENT_ADDR", Listen())]))]);

    /// <summary>A gateway before a silo.</summary>
    internal static Task<EstatNode> SplitAsync(string folder)
    {
        string meeting = Listen();
        return StartAsync(
            folder,
            environment =>
            [
                Silo("the gateway", environment([("ROLE", "gateway"), ("SILO_CLIENT_ADDR", meeting)])),
                Silo("the silo", environment([("ROLE", "silo"), ("SILO_ADDR", Listen()), ("SILO_CLIENT_ADDR", meeting)])),
            ]);
    }

    /// <summary>A cluster's node that takes requests at <c>replica</c>, and a silo that keeps the copies.</summary>
    internal static Task<EstatNode> ReplicatedAsync(string folder)
    {
        string first = Listen();
        return StartAsync(
            folder,
            environment =>
            [
                Silo("the node", environment([("ROLE", "both"), ("ACK", "replica"), ("SILO_ADDR", first), ("SILO_CLIENT_ADDR", Listen())])),
                Silo("its partner", environment(
                    [("ROLE", "silo"), ("ACK", "replica"), ("SILO_ADDR", Listen()), ("SILO_CLIENT_ADDR", Listen()), ("SEED_ADDR", first)])),
            ]);
    }

    public async Task<double?> AllocatedBytesAsync()
    {
        double sum = 0;
        foreach (ServerProcess process in _processes)
        {
            sum += (await process.MetricsAsync())[Allocated];
        }

        return sum;
    }

    /// <summary>Events that came to a place, over all processes.</summary>
    internal async Task<double> EventsAsync(string place) => await SumAsync($"estat_events{{place=\"{place}\"}}");

    /// <summary>A metric over all processes that have it.</summary>
    internal async Task<double> SumAsync(string metric)
    {
        double sum = 0;
        foreach (ServerProcess process in _processes)
        {
            sum += (await process.MetricsAsync()).GetValueOrDefault(metric);
        }

        return sum;
    }

    public async Task SettleAsync()
    {
        await Wait.UntilAsync(
            async () => await SumAsync("estat_upload_queue_depth") == 0 && await WaitingFilesAsync() == 0,
            Patience,
            "sealed batches to be stored");
        DropStored();
    }

    /// <summary>Returns once every event is stored, open batches' included: only with a FLUSH_INTERVAL that somebody would wait for.</summary>
    internal async Task UntilAllStoredAsync()
    {
        string seen = "nothing";
        await Wait.UntilAsync(
            async () =>
            {
                double left = await EventsAsync("buffered") + await EventsAsync("spooled") + await EventsAsync("dlq");
                seen = string.Create(CultureInfo.InvariantCulture, $"{left} events not stored");
                return left == 0;
            },
            Patience,
            "everything to be stored",
            () => seen);
    }

    /// <summary>Sealed batches that wait on disk, in the spool or the DLQ.</summary>
    internal async Task<double> WaitingFilesAsync() => await SumAsync("estat_spool_waiting_segments") + await SumAsync("dlq_files_current");

    /// <summary>Deletes what is in the folder that is storage here: nobody reads it, and a long run would fill the disk.</summary>
    internal void DropStored()
    {
        string stored = Path.Combine(_folder, "data");
        if (Directory.Exists(stored))
        {
            foreach (string file in Directory.EnumerateFiles(stored, "*" + ObjectKeys.Extension, SearchOption.AllDirectories))
            {
                File.Delete(file);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServerProcess process in _processes)
        {
            await process.DisposeAsync();
        }
    }

    private static async Task<EstatNode> StartAsync(
        string folder, Func<Func<(string Name, string Value)[], Dictionary<string, string>>, IReadOnlyList<ServerProcess>> launch)
    {
        int number = 0;
        IReadOnlyList<ServerProcess> processes = launch(options => EnvironmentOf(Path.Combine(folder, Text(number++)), options, folder));
        var node = new EstatNode(folder, processes);
        try
        {
            await Task.WhenAll(processes.Select(process => process.UntilReadyAsync(Patience)));
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    private static Dictionary<string, string> EnvironmentOf(string own, (string Name, string Value)[] options, string shared)
    {
        var environment = new Dictionary<string, string>
        {
            ["ACK"] = "disk",
            ["SPOOL_DIR"] = Path.Combine(own, "spool"),
            ["DLQ_DIR"] = Path.Combine(own, "dlq"),
            ["STORAGE_DIR"] = Path.Combine(shared, "data"),
            ["LOG_LEVEL"] = "error",
        };
        foreach ((string name, string value) in options)
        {
            environment[name] = value;
        }

        return environment;
    }

    private static ServerProcess Silo(string name, Dictionary<string, string> environment) =>
        ServerProcess.LaunchProject("Estat.Silo", name, environment);

    private static string Listen() => "127.0.0.1:" + Text(FreePort.Next());

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
