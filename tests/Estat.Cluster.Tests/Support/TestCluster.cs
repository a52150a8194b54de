// A cluster of silos inside the test's process: Orleans' own test host, with Estat's parts in each silo.
using Orleans.TestingHost;

namespace Estat.Cluster.Tests.Support;

/// <summary>Silos with a spool each and one store.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly InProcessTestCluster _cluster;
    private readonly Dictionary<string, SiloNode> _nodes = [];
    private readonly Queue<(string Spool, string? Zone)> _next;

    private TestCluster((string Spool, string? Zone)[] silos)
    {
        _next = new Queue<(string, string?)>(silos);
        var builder = new InProcessTestClusterBuilder((short)silos.Length);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((options, silo) =>
        {
            lock (_nodes)
            {
                (string spool, string? zone) = _next.Dequeue();
                var node = new SiloNode(Folder, spool, zone);
                _nodes[options.SiloName] = node;
                node.Parts.AddTo(silo);
                silo.UseInMemoryReminderService();
            }
        });
        _cluster = builder.Build();
    }

    internal TempFolder Folder { get; } = new();

    internal IClusterClient Client => _cluster.Client;

    internal IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    /// <summary>The bodies of all events in the store.</summary>
    internal string[] Stored => [.. StoredEvents.FromFolder(Folder["data"]).Select(stored => stored.Body).Order(StringComparer.Ordinal)];

    /// <summary>Starts a cluster.</summary>
    /// <param name="silos">The name of each silo's spool, and its zone.</param>
    internal static async Task<TestCluster> StartAsync(params (string Spool, string? Zone)[] silos)
    {
        var cluster = new TestCluster(silos);
        try
        {
            await cluster._cluster.DeployAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The services of a silo: what runs in it gets these.</summary>
    internal IServiceProvider ServicesOf(InProcessSiloHandle silo) => _cluster.GetSiloServiceProvider(silo.SiloAddress);

    internal SiloNode NodeOf(InProcessSiloHandle silo)
    {
        lock (_nodes)
        {
            return _nodes[silo.Name];
        }
    }

    /// <summary>The silo whose spool has that name.</summary>
    internal InProcessSiloHandle At(string spool) => Silos.Single(silo => NodeOf(silo).Engine.SpoolId == SpoolId(spool));

    /// <summary>The identity of a spool's folder.</summary>
    internal string SpoolId(string spool)
    {
        string identity = File.ReadAllText(Folder[Path.Combine(spool, "identity")]);
        return identity[..32];
    }

    /// <summary>Adds a silo.</summary>
    internal async Task<InProcessSiloHandle> AddAsync(string spool, string? zone = null)
    {
        lock (_nodes)
        {
            _next.Enqueue((spool, zone));
        }

        return await _cluster.StartAdditionalSiloAsync(startAdditionalSiloOnNewPort: true);
    }

    /// <summary>Stops a silo as its host does when it ends; its spool may then be mounted elsewhere.</summary>
    internal async Task StopAsync(InProcessSiloHandle silo)
    {
        await _cluster.StopSiloAsync(silo);
        await NodeOf(silo).DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        foreach (SiloNode node in _nodes.Values)
        {
            await node.DisposeAsync();
        }

        Folder.Dispose();
    }
}
