// The core of a node, put together: partitions → spool → uploader → storage or DLQ, backlog and recovery beside them. The same in the standalone
// server and in a silo.
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Recovery;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;
using Estat.Http.Metrics;
using Estat.Lake.Names;

namespace Estat.Collect.Hosting;

/// <summary>Owns every long-running part and the order in which they start and stop.</summary>
public sealed partial class Engine : INodeReadings, IAsyncDisposable
{
    private static readonly TimeSpan LongestDlqReserve = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestExitReserve = TimeSpan.FromSeconds(1);

    private readonly CollectOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IObjectStore _store;
    private readonly Spool _spool;
    private readonly DlqDirectory _dlq;
    private readonly Func<AckLevel, int, ObjectKeys, PartitionWriters> _newPartition;
    private readonly PrefixPartitions<Partition> _prefixed;
    private readonly StorageState _storage;
    private readonly Uploader _uploader;
    private readonly SpoolBacklog _backlog;
    private readonly RecoveryLoop _recovery;
    private readonly LocalIngest _ingest;
    private readonly IReplication? _replication;
    private readonly CancellationTokenSource _stopRecovery = new();
    private readonly CancellationTokenSource _stopSpool = new();
    private Task _uploading = Task.CompletedTask;
    private Task _recovering = Task.CompletedTask;
    private Task _spooling = Task.CompletedTask;
    private bool _startedOnce; // from its first call; _started is true from its end
    private volatile bool _started;
    private volatile bool _draining;
    private volatile bool _broken;

    /// <summary>Puts the parts together and takes the folders of spool and DLQ.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="store">Where objects go; the engine disposes of it.</param>
    /// <param name="time">Clock and timers of every part.</param>
    /// <param name="loggers">Where the parts log.</param>
    /// <param name="openCompressor">Replaces gzip, for tests of its failure; null is gzip at <c>GZIP_LEVEL</c>.</param>
    /// <param name="replication">The other silos; null for a node by itself, which does not offer <c>replica</c>. The engine disposes of it.</param>
    /// <exception cref="IOException">A folder is owned by another process or cannot be written; the message says what to do.</exception>
    internal Engine(
        CollectOptions options, IObjectStore store, TimeProvider time, ILoggerFactory loggers, Func<Stream, Stream>? openCompressor = null,
        IReplication? replication = null)
        : this(options, store, time, loggers, openCompressor,
            Spool.Open(options, SparesFor(options, replication), time, loggers.CreateLogger<Spool>()), replication)
    {
    }

    /// <summary>The same over a spool that is open; the engine disposes of it.</summary>
    internal Engine(
        CollectOptions options, IObjectStore store, TimeProvider time, ILoggerFactory loggers, Func<Stream, Stream>? openCompressor, Spool spool,
        IReplication? replication = null)
    {
        _options = options;
        _store = store;
        _time = time;
        _logger = loggers.CreateLogger<Engine>();
        _spool = spool;
        Levels = LevelsOf(options, replication);
        Instruments = new EstatInstruments();
        Ledger = new Ledger(() => Accepted(AckLevel.Memory), () => Accepted(AckLevel.Disk) + Accepted(AckLevel.Replica) + Accepted(AckLevel.Stored));
        Sink = new StorageProbe(store, time);
        var keys = new ObjectKeys(options.Storage.RawPrefix, spool.Instance);
        var quarantine = new QuarantineKeys(options);
        var writer = new ObjectWriter(store, Instruments, loggers.CreateLogger<ObjectWriter>());
        try
        {
            _dlq = new DlqDirectory(options, keys, Ledger, time, loggers.CreateLogger<DlqDirectory>());
        }
        catch
        {
            spool.Dispose();
            throw;
        }

        if (spool.Found.Count == 0)
        {
            ForgetDiscarded();
        }

        openCompressor ??= BatchEncoder.Gzip(options.GzipLevel);
        ILogger encoderLogger = loggers.CreateLogger<BatchEncoder>();
        Quarantine = store is IObjectCatalog catalog
            ? new Quarantine(catalog, quarantine, writer, keys, Ledger, Objects, time, loggers.CreateLogger<Quarantine>())
            : null;
        _replication = replication;
        var observer = new StoredObserver(Objects, Quarantine, replication?.Own);
        _storage = new StorageState(() => (_dlq.Files, SpoolWaiting), OnStorageAnswers, time, loggers.CreateLogger<BatchStore>());
        var batches = new BatchStore(writer, quarantine, _storage, observer, Ledger, Instruments, time, loggers.CreateLogger<BatchStore>());
        SpoolBacklog BacklogOf(Spool of) => new(
            options, of, batches, _dlq, quarantine, () => new BatchEncoder(openCompressor, encoderLogger, onDropped: null), Ledger, time,
            loggers.CreateLogger<SpoolBacklog>());
        _backlog = BacklogOf(spool);
        try
        {
            replication?.Open(BacklogOf, _storage);
        }
        catch
        {
            _dlq.Dispose();
            spool.Dispose();
            throw;
        }

        _uploader = new Uploader(options, batches, _dlq, _backlog, replication?.Own, Ledger, Instruments, time, loggers.CreateLogger<Uploader>());
        _recovery = new RecoveryLoop(
            options, _dlq, writer, quarantine, keys, Instruments,
            () => _uploader.IsIdle && _backlog.IsIdle && replication is null or { IsIdle: true }, _storage, observer, time,
            loggers.CreateLogger<RecoveryLoop>());
        Dlq = new DlqOffice(options, _dlq, _recovery, observer, keys, time, loggers.CreateLogger<DlqOffice>());
        var chunks = new ChunkPool();
        var waiters = new AckWaiterPool();
        _newPartition = (level, number, itsKeys) => new PartitionWriters(
            level, number, options, itsKeys, chunks, waiters,
            new BatchEncoder(openCompressor, encoderLogger, level == AckLevel.Memory ? OnDroppedInEncoder : null), spool, _backlog,
            replication?.Own, _uploader.EnqueueAsync, Instruments, time);
        _partitions = [.. Levels.SelectMany(
            level => Enumerable.Range(0, options.PartitionsOf(level)).Select(number => _newPartition(level, number, keys)))];
        _prefixed = new PrefixPartitions<Partition>(options,
            (prefix, level, number) => AddPartition(_newPartition(level, options.Partitions + number, keys.Under(prefix))));
        Partition[][] partitions = [.. AckLevels.All.Select(
            level => _partitions.Where(one => one.Partition.Level == level).Select(one => one.Partition).ToArray())];
        _ingest = new LocalIngest(partitions, _prefixed, chunks, options.BatchSize, options.StoredMaxWait, TroubleWith, time);
        Instruments.Observe(this);
    }

    /// <summary>The ack levels that this node offers, weakest first.</summary>
    public IReadOnlyList<AckLevel> Levels { get; }

    /// <summary>The way in.</summary>
    public IIngest Ingest => _ingest;

    /// <summary>The node's instruments.</summary>
    public EstatInstruments Instruments { get; }

    /// <summary>Whether storage can be reached.</summary>
    public StorageProbe Sink { get; }

    /// <summary>What the node keeps for itself in SPOOL_DIR.</summary>
    public IStateFiles State => _spool;

    /// <inheritdoc/>
    public RequestCounters Requests { get; } = new();

    /// <inheritdoc/>
    public Ledger Ledger { get; }

    /// <inheritdoc/>
    public long AcceptedRequests => _partitions.Sum(one => one.Partition.AcceptedRequests);

    /// <inheritdoc/>
    public long BufferedBytes => _partitions.Sum(one => one.Partition.WaitingBytes);

    /// <inheritdoc/>
    public long SpoolBytes => _spool.Bytes + (_replication?.Bytes ?? 0);

    /// <inheritdoc/>
    public int SpoolWaiting => _backlog.Segments + (_replication?.Waiting ?? 0);

    /// <inheritdoc/>
    public int ReplicasHeld => _replication?.Held ?? 0;

    /// <inheritdoc/>
    public long UnderReplicated => _replication?.UnderReplicated ?? 0;

    /// <inheritdoc/>
    public CollectOptions Bounds => _options;

    /// <inheritdoc/>
    public long SpoolDiskFree => _spool.FreeBytes;

    /// <inheritdoc/>
    public long DlqDiskFree => _dlq.FreeBytes;

    /// <inheritdoc/>
    public bool SpoolFails => _spool.IsFailing;

    /// <inheritdoc/>
    public long DlqFiles => _dlq.Files;

    /// <inheritdoc/>
    public long DlqBytes => _dlq.Bytes;

    /// <inheritdoc/>
    public int UploadQueueDepth => _uploader.QueueDepth;

    /// <inheritdoc/>
    public TimeSpan OldestUnflushed
    {
        get
        {
            DateTimeOffset now = _time.GetUtcNow();
            DateTimeOffset oldest = _partitions.Min(one => one.Partition.OldestOpen) ?? now;
            return oldest < now ? now - oldest : TimeSpan.Zero;
        }
    }

    /// <inheritdoc/>
    public bool IsReady => NotReadyBecause is null;

    /// <inheritdoc/>
    public bool StorageFails => _storage.Fails;

    /// <summary>Why the node takes no events now; null when it does.</summary>
    public string? NotReadyBecause =>
        _broken ? "a part of the node has crashed; see the log and restart it"
        : _draining ? "the node is draining"
        : !_started ? "the node is starting"
        : !_spool.IsCounted ? "the disk of SPOOL_DIR has no room to record this start; the node uploads the batches that wait there, which makes room"
        : _spool.IsGone || _replication is { IsGone: true } ? "SPOOL_DIR, or a file in it, was removed or replaced; see the log"
        : _dlq.IsGone ? "DLQ_DIR was removed or replaced; see the log"
        : _options.Ack != AckLevel.Memory && _spool.IsFailing ? "the disk of SPOOL_DIR fails; see the log"
        : _options.Ack != AckLevel.Memory && _spool.IsFull ? "the spool is at SPOOL_MAX_SIZE_BYTES or its disk at DISK_MIN_FREE_BYTES"
        : DlqIsFull ? "the DLQ is at DLQ_MAX_SIZE_BYTES or its disk at DISK_MIN_FREE_BYTES"
        : null;

    /// <summary>Starts writers, uploads and recovery; once.</summary>
    /// <exception cref="InvalidOperationException">It was started before.</exception>
    public void Start()
    {
        if (Interlocked.Exchange(ref _startedOnce, true))
        {
            throw new InvalidOperationException("The engine was started before. A second start would give its partitions a second writer.");
        }

        _uploading = Watch(_uploader.RunAsync(), "the uploader", carriesEvents: true);
        RunPartitions();
        _recovering = Watch(_recovery.RunAsync(_stopRecovery.Token), "recovery", carriesEvents: false);
        _spooling = Task.WhenAll(
            Watch(_spool.KeepSparesAsync(_stopSpool.Token), "the spool's supply of segments", carriesEvents: false),
            Watch(
                _spool.GuardAsync(FlushSpooled, _backlog.LookForMissing, _stopSpool.Token), "the watch over the spool's disk", carriesEvents: false),
            Watch(_dlq.GuardAsync(_stopSpool.Token), "the watch over the DLQ's folder", carriesEvents: false),
            Watch(_backlog.RunAsync(_stopSpool.Token), "the spool's backlog", carriesEvents: false));
        if (_replication is not null)
        {
            _ = Watch(_replication.HoldAsync(), "the writer of other silos' copies", carriesEvents: true);
            _spooling = Task.WhenAll(
                _replication.Run(_stopSpool.Token).Select(part => Watch(part, "a part of replication", carriesEvents: false)).Append(_spooling));
        }

        _started = true;
    }

    /// <summary>The first step of a drain: readiness is gone and new requests are turned away; requests in flight are still taken.</summary>
    public void BeginDrain()
    {
        _draining = true;
        _ingest.BeginDrain();
        _replication?.BeginDrain();
    }

    /// <summary>
    /// The rest of a drain: closes and seals the partitions, uploads what there is, and what waits in the spool besides while storage answers. What
    /// cannot be uploaded in time stays in the spool, or goes to the DLQ if it was in memory only.
    /// </summary>
    /// <param name="budget">Time for all of it. Uploads are ended early enough to leave the DLQ a quarter of it, 5 s at most.</param>
    /// <param name="hurry">Cancelled to end uploads now, as a second signal does; nothing is lost by it.</param>
    /// <returns>Events that neither storage nor the DLQ took; 0 unless both failed.</returns>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        BeginDrain();
        long givenUpBefore = Ledger.Arrived(Place.Dropped);
        await _stopRecovery.CancelAsync().ConfigureAwait(false);
        TimeSpan dlqReserve = Min(budget / 4, LongestDlqReserve);
        TimeSpan exitReserve = Min(budget / 10, LongestExitReserve);
        await using ITimer endUploads = _time.CreateTimer(_ => _uploader.Hurry(), null, budget - dlqReserve, Timeout.InfiniteTimeSpan);
        await using ITimer giveUp = _time.CreateTimer(_ => _uploader.GiveUp(), null, budget - exitReserve, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration hurried = hurry.Register(_uploader.Hurry);

        Task writing = ClosePartitions();
        if (await Task.WhenAny(writing, Task.Delay(Max(budget - dlqReserve, TimeSpan.Zero), _time, CancellationToken.None))
            .ConfigureAwait(false) != writing)
        {
            // A disk that neither takes a sync nor refuses it. What was acknowledged is in the spool; what was not will not be.
            LogWritersHang(_logger, _spool.Folder);
            return Ledger.Read().Buffered + Ledger.Arrived(Place.Dropped) - givenUpBefore;
        }

        _uploader.Complete();
        await _uploading.ConfigureAwait(false);
        await _recovering.ConfigureAwait(false);
        await _backlog.DrainAsync(_uploader.Hurried).ConfigureAwait(false);
        if (_replication is not null)
        {
            await _replication.DrainAsync(_uploader.Hurried).ConfigureAwait(false);
        }

        await _stopSpool.CancelAsync().ConfigureAwait(false);
        await _spooling.ConfigureAwait(false);

        // Nothing is left in memory unless a part has crashed; what is, ends with the process.
        return Ledger.Read().Buffered + Ledger.Arrived(Place.Dropped) - givenUpBefore;
    }

    /// <summary>Frees what an engine holds that was drained, or whose node failed to start.</summary>
    public async ValueTask DisposeAsync()
    {
        BeginDrain();
        await _stopRecovery.CancelAsync().ConfigureAwait(false);
        await _stopSpool.CancelAsync().ConfigureAwait(false);
        _replication?.StopHolding();
        await _recovering.ConfigureAwait(false); // it must not read a folder that is no longer this process' own
        await _spooling.ConfigureAwait(false);
        _prefixed.Close();
        foreach (PartitionWriters one in _partitions)
        {
            one.Dispose();
        }

        _uploader.Dispose();
        _backlog.Dispose();
        _replication?.Dispose();
        _dlq.Dispose();
        _spool.Dispose();
        _store.Dispose();
        Instruments.Dispose();
        _stopRecovery.Dispose();
        _stopSpool.Dispose();
    }

    private bool DlqIsFull => _options.DlqFull == DlqFullPolicy.Reject && _dlq.IsFull;

    // What the options allow; at memory on a file system that forgets, no more than that unless somebody says that it will do.
    private static AckLevel[] LevelsOf(CollectOptions options, IReplication? replication) =>
        options.AckAllowed is { } allowed ? [.. allowed]
        : options.Ack == AckLevel.Memory && !options.SpoolVolatile && Spool.IsVolatile(options.SpoolDir) is not null ? [AckLevel.Memory]
        : [.. replication is null ? AckLevels.OfOneNode : AckLevels.All];

    private static int SparesFor(CollectOptions options, IReplication? replication) =>
        options.PartitionsOf(AckLevel.Disk) + options.PartitionsOf(AckLevel.Stored)
        + (replication is null ? 0 : options.PartitionsOf(AckLevel.Replica));

    private long Accepted(AckLevel level)
    {
        long sum = 0;
        foreach (PartitionWriters one in _partitions)
        {
            sum += one.Partition.Level == level ? one.Partition.AcceptedEvents : 0;
        }

        return sum;
    }

    private Admission? TroubleWith(AckLevel level) =>
        DlqIsFull || !_spool.IsCounted ? Admission.StorageFull
        : _dlq.IsGone ? Admission.DiskFailed
        : level == AckLevel.Memory ? null
        : _spool.IsFailing ? Admission.DiskFailed
        : _spool.IsFull ? Admission.StorageFull
        : level == AckLevel.Replica && _replication!.Own.MustRefuse ? Admission.NoReplica
        : null;

    private void OnStorageAnswers()
    {
        _backlog.OnStorageAnswers();
        _replication?.OnStorageAnswers();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    // Open batches may be what fills it: they leave, and make room. Those in a folder that is gone leave while memory has them.
    private void FlushSpooled()
    {
        foreach (PartitionWriters one in _partitions)
        {
            if (one.Partition.Level != AckLevel.Memory)
            {
                one.Partition.Flush(_spool.IsGone ? FlushReason.DiskFailure : FlushReason.Bytes);
            }
        }
    }

    // No segment of an earlier start is left that could hold what was discarded.
    private void ForgetDiscarded()
    {
        try
        {
            _dlq.Discarded.Clear();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogDiscardedKept(_logger, _dlq.Folder, error.Message);
        }
    }

    private void OnDroppedInEncoder(long events) => Ledger.Move(events, Place.Buffered, Place.Dropped);

    // A part that ends with an error leaves a node that must not be trusted with more: it turns unready, loudly. When it was a part that events go
    // through, new requests are turned away as well: what a partition without its writer acknowledges, nobody would store.
    private async Task Watch(Task part, string name, bool carriesEvents)
    {
        try
        {
            await part.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_draining)
        {
        }
        catch (Exception error)
        {
            _broken = true;
            if (carriesEvents)
            {
                _ingest.BeginDrain();
            }

            LogPartCrashed(_logger, error, name);
        }
    }

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "The disk of SPOOL_DIR {Folder} hangs. The node stops without its last sync; it had not acknowledged the events of that sync")]
    private static partial void LogWritersHang(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The list of discarded files in {Folder} could not be removed: {Error}. The next start tries again")]
    private static partial void LogDiscardedKept(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Part} crashed; the node is no longer ready. Restart it, and report this")]
    private static partial void LogPartCrashed(ILogger logger, Exception error, string part);
}
