// One node of a cluster: one process after another over the same folder, on the same ports.

namespace Estat.Testing;

/// <summary>A silo or a gateway. See <see cref="ClusterProcesses"/> for who may call what.</summary>
public sealed class ClusterNode : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(3); // a second of it until the next reading is due
    private readonly List<ServerProcess> _all = [];
    private readonly string _project;
    private readonly string _folder;

    internal ClusterNode(string name, string project, string folder, Dictionary<string, string> options)
    {
        Name = name;
        _project = project;
        _folder = folder;
        Options = options;
    }

    /// <summary>Such as "silo-2".</summary>
    public string Name { get; }

    /// <summary>What the next process is started with.</summary>
    public Dictionary<string, string> Options { get; }

    /// <summary>The latest process; it may have ended.</summary>
    public ServerProcess Server => _all[^1];

    /// <summary>Whether it has been started and has not ended. A process that stands still counts as running.</summary>
    public bool IsRunning => _all.Count > 0 && !Server.HasExited;

    /// <summary>Whether it stands still.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>The spool's folder.</summary>
    public string SpoolFolder => Options["SPOOL_DIR"];

    /// <summary>The DLQ's folder.</summary>
    public string DlqFolder => Options["DLQ_DIR"];

    /// <summary>All that its processes printed.</summary>
    public IEnumerable<string> Output => _all.SelectMany((server, index) => server.Output.Prepend($"--- {Name}, process {index + 1}"));

    /// <summary>Starts a process and returns once it takes events.</summary>
    public async Task StartAsync()
    {
        Launch();
        await UntilReadyAsync(Patience);
    }

    /// <summary>SIGKILL; nothing of the process runs any more when this returns.</summary>
    public async Task KillAsync()
    {
        IsPaused = false;
        Server.Kill();
        await Server.WaitForExitAsync(Patience);
    }

    /// <summary>SIGTERM, and the end of the drain.</summary>
    /// <exception cref="InvalidOperationException">It ended otherwise than with 0.</exception>
    public async Task DrainAsync()
    {
        Server.Terminate();
        if (await Server.WaitForExitAsync(Patience) is var code and not 0)
        {
            throw new InvalidOperationException(
                $"the drain of {Name} ended with {code}: {string.Join(Environment.NewLine, Server.Output.TakeLast(5))}");
        }
    }

    /// <summary>SIGSTOP: to the others it looks as if the network had lost it.</summary>
    public void Pause()
    {
        IsPaused = true;
        Server.Signal(SigStop);
    }

    /// <summary>SIGCONT.</summary>
    public void Continue()
    {
        Server.Signal(SigCont);
        IsPaused = false;
    }

    /// <summary>Takes its disk away, as a lost machine does; only while it does not run.</summary>
    public void WipeDisk()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException($"{Name} runs on that disk");
        }

        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Its metrics; null if it is down, stands still, or does not answer in time.</summary>
    public async Task<IReadOnlyDictionary<string, double>?> ReadAsync()
    {
        try
        {
            return IsRunning && !IsPaused ? await Server.MetricsAsync().WaitAsync(ReadPatience) : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Starts a process and returns at once.</summary>
    internal void Launch() => _all.Add(ServerProcess.LaunchProject(_project, Name, Options));

    /// <summary>Returns once the latest process takes events.</summary>
    internal Task UntilReadyAsync(TimeSpan timeout) => Server.UntilReadyAsync(timeout);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _all)
        {
            await server.DisposeAsync();
        }
    }
}
