// Processes that a test stops while something hangs under them.
using System.Globalization;

namespace Estat.Cluster.Tests.Support;

/// <summary>A node in a folder of the test; a gateway gets a silo behind it.</summary>
internal sealed class StoppableNodes : IAsyncDisposable
{
    private const string Program = "Estat.Silo";
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();
    private readonly string _siloClientAddr = Address();

    /// <summary>The silo behind a gateway.</summary>
    internal ServerProcess? Silo { get; private set; }

    /// <summary>What every node is started with.</summary>
    internal Dictionary<string, string> Options() => new()
    {
        ["CLUSTER_ID"] = Path.GetFileName(_folder.Path), ["STORAGE_DIR"] = _folder["data"], ["SPOOL_VOLATILE"] = "true",
    };

    /// <summary>Starts a node; before a gateway, a silo until it is ready.</summary>
    internal ServerProcess Launch(string role, IReadOnlyDictionary<string, string> environment)
    {
        if (role == "gateway")
        {
            Silo = Start("silo", environment, "silo");
            Silo.UntilReadyAsync(ReadyLimit).GetAwaiter().GetResult();
        }

        return Start(role, environment, "node");
    }

    /// <summary>Starts a node alone.</summary>
    internal ServerProcess Start(string role, IReadOnlyDictionary<string, string> environment, string name) => ServerProcess.LaunchProject(
        Program, name, new Dictionary<string, string>(environment)
        {
            ["ROLE"] = role,
            ["SILO_ADDR"] = Address(),
            ["SILO_CLIENT_ADDR"] = _siloClientAddr,
            ["SPOOL_DIR"] = _folder[name + "/spool"],
            ["DLQ_DIR"] = _folder[name + "/dlq"],
        });

    public async ValueTask DisposeAsync()
    {
        if (Silo is not null)
        {
            Silo.Kill();
            await Silo.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static string Address() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");
}
