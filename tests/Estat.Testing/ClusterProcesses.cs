// A cluster of real processes on this machine: silos with folders of their own, and gateways.

using System.Globalization;

namespace Estat.Testing;

/// <summary>
/// Silos and gateways by number, from 1. One caller at a time starts, stops and kills; whoever else looks on (<see cref="SumAsync"/>) may find nodes
/// that are down. A node that is started again has the ports and folders that it had.
/// </summary>
public sealed class ClusterProcesses : IAsyncDisposable
{
    private const string Project = "Estat.Silo";
    private const string UnderReplicated = "estat_under_replicated_events";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _options;
    private readonly List<ClusterNode> _silos = [];
    private readonly List<ClusterNode> _gateways = [];
    private readonly HashSet<int> _ports = [];
    private readonly string _id = $"test-{Guid.NewGuid():n}"[..13];

    /// <summary>Makes a cluster without nodes.</summary>
    /// <param name="members">Where its membership is; stays its owner's.</param>
    /// <param name="options">What every node is started with beside what makes it one, such as the bucket.</param>
    /// <param name="port">Where nodes reach the membership, if that is not where it listens.</param>
    public ClusterProcesses(MembershipStore members, IReadOnlyDictionary<string, string> options, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(members);
        _options = new Dictionary<string, string>
        {
            ["CLUSTER_ID"] = _id,
            // Whether the spool's device flushes is not what SIGKILL can tell.
            ["SPOOL_VOLATILE"] = "true",
        };
        foreach (var (name, value) in options)
        {
            _options[name] = value;
        }

        members.Point(_options, port);
    }

    /// <summary>Its CLUSTER_ID.</summary>
    public string Id => _id;

    /// <summary>All silos, running or not.</summary>
    public IReadOnlyList<ClusterNode> Silos => _silos;

    /// <summary>All gateways, running or not.</summary>
    public IReadOnlyList<ClusterNode> Gateways => _gateways;

    /// <summary>All nodes.</summary>
    public IEnumerable<ClusterNode> Nodes => _silos.Concat(_gateways);

    /// <summary>Starts silos and gateways beside those that there are, and returns once all of them take events.</summary>
    public async Task AddAsync(int silos, int gateways)
    {
        var added = new List<ClusterNode>();
        for (var i = 0; i < silos; i++)
        {
            _silos.Add(NewNode("silo", _silos.Count + 1));
            added.Add(_silos[^1]);
        }

        for (var i = 0; i < gateways; i++)
        {
            _gateways.Add(NewNode("gateway", _gateways.Count + 1));
            added.Add(_gateways[^1]);
        }

        added.ForEach(node => node.Launch());
        await Task.WhenAll(added.Select(node => node.UntilReadyAsync(Patience)));
    }

    /// <summary>The sum of a metric over the running silos; null if one that runs does not answer or does not have it.</summary>
    public async Task<double?> SumAsync(string metric)
    {
        var sum = 0.0;
        foreach (var silo in _silos.Where(silo => silo.IsRunning))
        {
            if (await silo.ReadAsync() is not { } metrics || !metrics.TryGetValue(metric, out var value))
            {
                return null;
            }

            sum += value;
        }

        return sum;
    }

    /// <summary>
    /// Returns once every acknowledged event has all the copies that its level promises, and that for a while: a silo that has not heard of a death
    /// yet counts nothing for it.
    /// </summary>
    public async Task UntilReplicatedAsync(TimeSpan calmFor, TimeSpan timeout)
    {
        var seen = "nothing";
        var since = DateTime.MaxValue;
        await Wait.UntilAsync(
            async () =>
            {
                var sum = await SumAsync(UnderReplicated);
                seen = sum is { } events ? string.Create(CultureInfo.InvariantCulture, $"{events} events") : "a silo that does not answer";
                since = sum == 0 ? (since == DateTime.MaxValue ? DateTime.UtcNow : since) : DateTime.MaxValue;
                return since != DateTime.MaxValue && DateTime.UtcNow - since >= calmFor;
            },
            timeout,
            $"{UnderReplicated} to be 0 on all silos for {calmFor.TotalSeconds:0.#} s",
            () => seen);
    }

    /// <summary>Returns once no running silo holds an event that is not stored.</summary>
    public async Task UntilAllStoredAsync(TimeSpan timeout)
    {
        var seen = new List<string>();
        await Wait.UntilAsync(
            async () =>
            {
                seen.Clear();
                foreach (var silo in _silos.Where(silo => silo.IsRunning))
                {
                    var metrics = await silo.ReadAsync();
                    if (metrics is null || !IsAtRest(metrics))
                    {
                        seen.Add($"{silo.Name}: {(metrics is null ? "no answer" : Conservation.Describe(metrics))}");
                    }
                }

                return seen.Count == 0 && await SumAsync(UnderReplicated) == 0;
            },
            timeout,
            "everything to be stored",
            () => seen.Count == 0 ? "events held for others" : string.Join("; ", seen));
    }

    /// <summary>Drains all: gateways first, then the silos, one after another or all at once.</summary>
    /// <returns>Nodes that ended otherwise than with 0, and how.</returns>
    public async Task<IReadOnlyList<string>> DrainAsync()
    {
        var wrong = new List<string>();
        foreach (var group in new[] { _gateways, _silos })
        {
            var running = group.Where(node => node.IsRunning).ToList();
            running.ForEach(node => node.Server.Terminate());
            foreach (var node in running)
            {
                if (await node.Server.WaitForExitAsync(Patience) is var code and not 0)
                {
                    wrong.Add($"{node.Name} ended with {code}: {string.Join(Environment.NewLine, node.Server.Output.TakeLast(5))}");
                }
            }
        }

        return wrong;
    }

    /// <summary>All that all processes printed.</summary>
    public IEnumerable<string> Output() => Nodes.SelectMany(node => node.Output);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static bool IsAtRest(IReadOnlyDictionary<string, double> metrics) =>
        Conservation.At(metrics, "buffered") == 0 && Conservation.At(metrics, "spooled") == 0 && Conservation.At(metrics, "dlq") == 0
        && metrics.GetValueOrDefault("dlq_files_current") == 0;

    private ClusterNode NewNode(string role, int number)
    {
        var name = $"{role}-{number}";
        return new ClusterNode(name, Project, _folder[name], new Dictionary<string, string>(_options)
        {
            ["ROLE"] = role,
            ["HTTP_ADDR"] = Address(),
            ["SILO_ADDR"] = Address(),
            ["SILO_CLIENT_ADDR"] = Address(),
            ["SPOOL_DIR"] = Path.Combine(_folder[name], "spool"),
            ["DLQ_DIR"] = Path.Combine(_folder[name], "dlq"),
        });
    }

    // A port is free until somebody listens: the nodes that start together must not be given the same one.
    private string Address()
    {
        int port;
        do
        {
            port = FreePort.Next();
        }
        while (!_ports.Add(port));
        return $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";
    }
}
