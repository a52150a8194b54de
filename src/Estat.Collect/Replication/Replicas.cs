// Both sides of replication, as a silo has them.
using Estat.Collect.Options;
using Estat.Collect.Spooling;

namespace Estat.Collect.Replication;

/// <summary>The silo's own batches that others hold, and those of others that it holds, in a spool inside its spool's folder.</summary>
internal sealed class Replicas : IDisposable
{
    /// <summary>Inside <c>SPOOL_DIR</c>.</summary>
    internal const string FolderName = "replicas";

    // A copy per other silo and partition, in the usual case.
    private const int Spares = 4;

    private static readonly TimeSpan LongestFlush = TimeSpan.FromSeconds(5);

    // Beyond FLUSH_INTERVAL, after which every batch has ended: uploads with their retries, and the release on its way.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly TimeProvider _time;
    private Task _holding = Task.CompletedTask;

    internal Replicas(
        EstatOptions options, ReplicaSetup replication, Func<Spool, SpoolBacklog> backlogOf, Func<bool> storageFails, TimeProvider time,
        ILoggerFactory loggers)
    {
        _time = time;
        Spool = Spool.Open(options with { SpoolDir = Path.Combine(options.SpoolDir, FolderName) }, Spares, time, loggers.CreateLogger<Spool>());
        Backlog = backlogOf(Spool);
        Own = new ReplicatedBatches(replication, time, loggers.CreateLogger<ReplicatedBatches>());
        Held = new ReplicaStore(Spool, Backlog, options.FlushInterval + Grace, storageFails, time, loggers.CreateLogger<ReplicaStore>());
    }

    /// <summary>Where copies are.</summary>
    internal Spool Spool { get; }

    /// <summary>Copies that are being stored.</summary>
    internal SpoolBacklog Backlog { get; }

    /// <summary>This silo's batches.</summary>
    internal ReplicatedBatches Own { get; }

    /// <summary>Copies of other silos' batches.</summary>
    internal ReplicaStore Held { get; }

    /// <summary>Acknowledged events of which there is one copy: own ones whose partner is lost, and others' whose owner is.</summary>
    internal long UnderReplicated => Own.UnderReplicated + Held.Orphans;

    /// <summary>Starts the writer of copies.</summary>
    internal Task Hold() => _holding = Held.RunAsync();

    /// <summary>Everything beside <see cref="Hold"/>, until cancelled.</summary>
    internal IEnumerable<Task> Run(CancellationToken cancellationToken) =>
    [
        Spool.KeepSparesAsync(cancellationToken), Spool.GuardAsync(cancellationToken), Backlog.RunAsync(cancellationToken),
        Held.SweepAsync(cancellationToken), Own.RunAsync(cancellationToken),
    ];

    /// <summary>Stores what was finished while storage answers, and tells the partners what is stored.</summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        Held.Dispose();
        // a disk that hangs must not keep the process
        await Task.WhenAny(_holding, Task.Delay(LongestFlush, _time, CancellationToken.None)).ConfigureAwait(false);
        await Backlog.DrainAsync(cancellationToken).ConfigureAwait(false);
        await Own.ReleaseStoredAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        Held.Dispose();
        Backlog.Dispose();
        Spool.Dispose();
    }
}
