// Both sides of replication, as a silo has them.
using Estat.Collect.Batching;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;

namespace Estat.Grains.Replication;

/// <summary>The silo's own batches that others hold, and those of others that it holds, in a spool inside its spool's folder.</summary>
internal sealed class Replicas : IReplication
{
    /// <summary>Inside <c>SPOOL_DIR</c>.</summary>
    internal const string FolderName = "replicas";

    // A copy per other silo and partition, in the usual case.
    private const int Spares = 4;

    private static readonly TimeSpan LongestSync = TimeSpan.FromSeconds(5);

    // Beyond FLUSH_INTERVAL, after which every batch has ended: uploads with their retries, and the release on its way.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly CollectOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ReplicatedBatches _own;
    private Spool? _spool;
    private SpoolBacklog? _backlog;
    private ReplicaStore? _store;
    private Task _holding = Task.CompletedTask;

    /// <param name="options">Checked options.</param>
    /// <param name="setup">The other silos.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Where its parts log.</param>
    internal Replicas(CollectOptions options, ReplicaSetup setup, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _loggers = loggers;
        _own = new ReplicatedBatches(setup, time, loggers.CreateLogger<ReplicatedBatches>());
    }

    /// <inheritdoc/>
    public IBatchCopies Own => _own;

    /// <inheritdoc/>
    public int Held => Store.Batches;

    /// <inheritdoc/>
    public long UnderReplicated => _own.UnderReplicated + Store.Orphans;

    /// <inheritdoc/>
    public long Bytes => _spool!.Bytes;

    /// <inheritdoc/>
    public int Waiting => _backlog!.Segments;

    /// <inheritdoc/>
    public bool IsIdle => _backlog!.IsIdle;

    /// <inheritdoc/>
    public bool IsGone => _spool!.IsGone;

    /// <summary>Copies of other silos' batches.</summary>
    internal ReplicaStore Store => _store ?? throw new InvalidOperationException("the engine opens it first");

    /// <inheritdoc/>
    public void Open(Func<Spool, SpoolBacklog> backlogOf, StorageState storage)
    {
        CollectOptions inside = _options with { SpoolDir = Path.Combine(_options.SpoolDir, FolderName) };
        _spool = Spool.Open(inside, Spares, _time, _loggers.CreateLogger<Spool>());
        _backlog = backlogOf(_spool);
        _store = new ReplicaStore(
            _spool, _backlog, _options.FlushInterval + Grace, () => storage.Fails, _time, _loggers.CreateLogger<ReplicaStore>());
    }

    /// <inheritdoc/>
    public Task HoldAsync() => _holding = Store.RunAsync();

    /// <inheritdoc/>
    public IEnumerable<Task> Run(CancellationToken cancellationToken) =>
    [
        _spool!.KeepSparesAsync(cancellationToken), _spool.GuardAsync(static () => { }, _backlog!.LookForMissing, cancellationToken),
        _backlog.RunAsync(cancellationToken), Store.SweepAsync(cancellationToken), _own.RunAsync(cancellationToken),
    ];

    /// <inheritdoc/>
    public void OnStorageAnswers() => _backlog!.OnStorageAnswers();

    /// <inheritdoc/>
    public void BeginDrain() => Store.BeginDrain();

    /// <inheritdoc/>
    public void StopHolding() => Store.Dispose();

    /// <inheritdoc/>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        StopHolding();
        // a disk that hangs must not keep the process
        await Task.WhenAny(_holding, Task.Delay(LongestSync, _time, CancellationToken.None)).ConfigureAwait(false);
        await _backlog!.DrainAsync(cancellationToken).ConfigureAwait(false);
        await _own.ReleaseStoredAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopHolding();
        _backlog!.Dispose();
        _spool!.Dispose();
    }
}
