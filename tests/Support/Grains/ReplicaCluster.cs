// Several engines that hold copies for each other, joined without a network, over one folder of objects.
using System.Text;
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Grains.Replication;
using Estat.Http.Options;

namespace Estat.Tests.Support;

/// <summary>Everything but the way between silos is that of production.</summary>
internal sealed class ReplicaCluster : IAsyncDisposable
{
    private readonly TempFolder _folder = new();

    internal ReplicaCluster(int nodes, ReplicaDegradedPolicy degraded = ReplicaDegradedPolicy.Reject, CollectOptions? options = null,
        Action<ReplicaNode>? beforeStart = null,
        TimeProvider? time = null, Func<Stream, Stream>? openCompressor = null)
    {
        Data = _folder["data"];
        for (int i = 0; i < nodes; i++)
        {
            Nodes.Add(new ReplicaNode(
                this, $"silo-{i}", _folder, degraded, options ?? new CollectOptions(), beforeStart, time ?? TimeProvider.System, openCompressor));
        }
    }

    internal string Data { get; }

    internal List<ReplicaNode> Nodes { get; } = [];

    /// <summary>The bodies in RAW, sorted; one that is stored twice is there twice.</summary>
    internal string[] Stored => [.. StoredEvents.FromFolder(Path.Combine(Data, "raw")).Select(stored => stored.Body).Order(StringComparer.Ordinal)];

    /// <summary>Tells every living silo who lives.</summary>
    internal void Announce()
    {
        string[] alive = [.. Nodes.Where(node => node.IsAlive).Select(node => node.Engine.Instance)];
        foreach (ReplicaNode node in Nodes.Where(node => node.IsAlive))
        {
            node.Replicas.Store.OnNeighbours(alive);
        }
    }

    /// <summary>Membership declares a silo dead. It may not know.</summary>
    internal void Declare(ReplicaNode dead)
    {
        dead.IsAlive = false;
        Announce();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ReplicaNode node in Nodes)
        {
            await node.DisposeAsync();
        }

        _folder.Dispose();
    }
}

/// <summary>One of them.</summary>
internal sealed class ReplicaNode : IReplicaPeers, IAsyncDisposable
{
    private readonly ReplicaCluster _cluster;
    private bool _drained;

    internal ReplicaNode(ReplicaCluster cluster, string name, TempFolder folder, ReplicaDegradedPolicy degraded, CollectOptions options,
        Action<ReplicaNode>? beforeStart,
        TimeProvider time, Func<Stream, Stream>? openCompressor)
    {
        _cluster = cluster;
        Name = name;
        SpoolDir = folder[$"{name}-spool"];
        beforeStart?.Invoke(this);
        Store = new SwitchedStore(new FolderObjectStore(cluster.Data, TimeProvider.System));
        options = options with
        {
            Ack = AckLevel.Replica,
            DlqDir = folder[$"{name}-dlq"],
            SpoolDir = SpoolDir,
            S3AppRetries = 0,
            Partitions = 1,
            RecoveryInterval = TimeSpan.FromMilliseconds(20),
        };
        Replicas = new Replicas(options, new ReplicaSetup(this, degraded), time, Log);
        Engine = new Engine(options, Store, time, Log, openCompressor, replication: Replicas);
        Metrics = new Base.Metrics.PrometheusText(Engine.Instruments.Meter);
        Engine.Start();
    }

    internal string Name { get; }

    internal string SpoolDir { get; }

    internal SwitchedStore Store { get; }

    internal LogLines Log { get; } = new();

    internal Engine Engine { get; }

    internal Replicas Replicas { get; }

    internal Base.Metrics.PrometheusText Metrics { get; }

    /// <summary>What membership says.</summary>
    internal bool IsAlive { get; set; } = true;

    /// <summary>What happens on the way to this silo; null: nothing. Throws before or after it calls on.</summary>
    internal Func<Func<Task<ReplicaAnswer>>, Task<ReplicaAnswer>>? OnTheWay { get; set; }

    /// <summary>The silo that new batches go to; null: the next living one.</summary>
    internal ReplicaNode? Preferred { get; set; }

    public bool IsAlone => !_cluster.Nodes.Any(node => node != this && node.IsAlive);

    public IReplicaPartner? Choose(string key, IReplicaPartner? except)
    {
        ReplicaNode[] others = [.. _cluster.Nodes.Where(node => node != this && node.IsAlive)];
        string? exceptName = (except as Partner)?.Name;
        ReplicaNode? choice = others.Contains(Preferred) && Preferred!.Name != exceptName ? Preferred
            : others.FirstOrDefault(node => node.Name != exceptName) ?? others.FirstOrDefault();
        return choice is null ? null : new Partner(choice);
    }

    internal ValueTask<Ack> AskAsync(string body) => Engine.Ingest.AcceptAsync(EventLines.Header(), Encoding.UTF8.GetBytes(body), AckLevel.Replica);

    internal async Task<Ack> SendAsync(string body) => await AskAsync(body).AsTask().WaitAsync(TestNode.Limit);

    internal async Task DrainAsync()
    {
        if (!_drained)
        {
            Assert.Equal(0, await DrainAsync(CancellationToken.None));
        }
    }

    /// <summary>What was lost, which is 0 unless the test takes its disks away.</summary>
    internal async Task<long> DrainAsync(CancellationToken hurry)
    {
        _drained = true;
        return await Engine.DrainAsync(TestNode.Limit, hurry);
    }

    public async ValueTask DisposeAsync()
    {
        await DrainAsync();
        Metrics.Dispose();
        await Engine.DisposeAsync();
    }

    private sealed class Partner(ReplicaNode node) : IReplicaPartner
    {
        public string Name => node.Name;

        public bool IsAlive => node.IsAlive;

        public Task<ReplicaAnswer> HoldAsync(ReplicaRecords records)
        {
            // A copy, as on a wire: what is held must not depend on the sender's memory.
            Task<ReplicaAnswer> Call() => node.Replicas.Store.HoldAsync(records with { Lines = records.Lines.ToArray() });
            return node.OnTheWay is { } way ? way(Call) : Call();
        }

        public Task ReleaseAsync(IReadOnlyList<string> keys)
        {
            node.Replicas.Store.Release(keys);
            return Task.CompletedTask;
        }
    }
}
