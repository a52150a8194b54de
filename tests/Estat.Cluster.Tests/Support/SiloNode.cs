// What is Estat's in one silo of a test's cluster.
using Estat.Api.Options;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Hosting;
using Estat.Http.Options;
using Estat.Silo.Hosting;
using Estat.Silo.Replication;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Cluster.Tests.Support;

/// <summary>An engine over a spool of its own and a store that all share.</summary>
internal sealed class SiloNode : IAsyncDisposable
{
    private bool _disposed;

    /// <param name="folder">The cluster's folder.</param>
    /// <param name="spool">Name of the spool's folder in it.</param>
    /// <param name="zone">The silo's zone; null if it has no name.</param>
    internal SiloNode(TempFolder folder, string spool, string? zone = null)
    {
        var options = new EstatOptions
        {
            Cluster = new ClusterOptions { Zone = zone },
            Node = new() { ShutdownTimeout = TimeSpan.FromSeconds(20) },
            Collect = new()
            {
                SpoolDir = folder[spool],
                DlqDir = folder[spool + "-dlq"],
                Partitions = 1,
                FlushInterval = TimeSpan.FromHours(1),
                Storage = new() { StorageDir = folder["data"] },
            },
        };
        Engine = new Engine(
            options.Collect, new FolderObjectStore(options.Collect.Storage.StorageDir, TimeProvider.System), TimeProvider.System,
                NullLoggerFactory.Instance);
        Metrics = new PrometheusText(Engine.Instruments.Meter);
        Peers = new ReplicaPeers(zone);
        Parts = new SiloParts(options, Engine, new EngineRun(Engine), Peers, Holder, TimeProvider.System);
    }

    internal Engine Engine { get; }

    internal PrometheusText Metrics { get; }

    internal ReplicaPeers Peers { get; }

    internal RecordingHolder Holder { get; } = new();

    internal SiloParts Parts { get; }

    /// <summary>A metric without labels.</summary>
    internal double Metric(string name) => double.Parse(
        Metrics.Write().Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..],
        System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Metrics.Dispose();
        await Engine.DisposeAsync();
    }
}
