// The embedded log: all topics of one node in one folder.
using System.Buffers;
using System.Diagnostics.Metrics;
using Estat.Base.Files;
using Estat.Base.Journal;
using Estat.Base.Logging;
using Estat.Base.Options;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;

namespace Estat.Topics.Embedded;

/// <summary>
/// One journal holds the messages of all partitions, so one sync serves every topic: what many producers send at once is one write. An HTTP request
/// is one record, all of it or nothing. docs/topics.md has what it promises.
/// </summary>
internal sealed partial class EmbeddedLog : ITopicLog
{
    // Readings of the journal at once, apart from the sink's.
    private const int MostReadings = 4;

    // Records above it would stay in the shared pool, which nothing bounds.
    private const int LargestPooled = 1 << 20;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly TopicsOptions _options;
    private readonly LogFolder _folder;
    private readonly LogState _state;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IdempotencyKeys _idempotency;
    private readonly SemaphoreSlim _reading = new(MostReadings, MostReadings);
    private readonly LogRetention _retention;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly Lock _appending = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly ToldFault _notKept = new();
    private readonly ToldFault _clockTold = new();
    private readonly LogTrouble _trouble;
    private readonly LogClock _clock; // the keeper's
    private readonly Task _keeping;
    private TopicFile _file;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TopicTable _table;
    private volatile string? _fault;
    private uint _turn;

    /// <summary>Opens it, and reads what the index does not know yet.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="folder">Its files; its own from now on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it tells the operator.</param>
    /// <param name="keeps">Whether it keeps its folder in order by itself.</param>
    /// <exception cref="IOException">The folder cannot be used, or what is in it is damaged.</exception>
    internal EmbeddedLog(TopicsOptions options, LogFolder folder, TimeProvider time, ILogger logger, bool keeps = true)
    {
        _options = options;
        _folder = folder;
        _time = time;
        _logger = logger;
        _idempotency = new IdempotencyKeys(options.Dedup, options.DedupMax, time);
        _file = folder.ReadTopics() ?? new TopicFile(Guid.NewGuid().ToString(), false, [], TrimMark.None);
        _state = LogState.Open(options, folder, ref _file, _idempotency, time, logger);
        _table = new TopicTable(_file.Topics);
        _retention = new LogRetention(
            Journal, _state.Index, _state.Numbers, options.Retention, LogState.SegmentBytesOf(options), options.Sink);
        _retention.Resume(_file.Trim);
        _trouble = new LogTrouble(Description, logger);
        _clock = new LogClock(time);
        _clock.Now(); // what it says first is believed
        try
        {
            AddBuiltIn();
        }
        catch
        {
            _state.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }

        _keeping = keeps ? Task.Run(() => KeepAsync(_ending.Token)) : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public string Id => _file.Id;

    /// <inheritdoc/>
    public string Description => _folder.Description;

    /// <inheritdoc/>
    public string AckLevel => "disk";

    /// <inheritdoc/>
    public string? Fault => Broken ?? _trouble.Fault;

    /// <inheritdoc/>
    public bool TakesIdempotencyKeys => true;

    /// <inheritdoc/>
    public IReadOnlyList<LogTopic> Topics => [.. _table.ByName.Select(Show)];

    /// <inheritdoc/>
    public IStateFiles? State => _folder;

    /// <summary>Bytes on disk.</summary>
    internal long Bytes => Journal.End - Journal.Start;

    // What no disk that works again mends.
    private string? Broken => _fault ?? (Journal.Completion.IsCompleted && !_ending.IsCancellationRequested
        ? $"the log in {Description} writes no more. Restart the node" : null);

    /// <summary>The journal.</summary>
    internal SegmentedJournal Journal => _state.Journal;

    /// <summary>The topics.</summary>
    internal TopicTable Table => _table;

    /// <summary>What keeps the oldest messages; null while nothing does.</summary>
    internal LogPin? Pin => _retention.Pin;

    /// <summary>Opens the log of TOPICS_DIR.</summary>
    /// <exception cref="IOException">The folder cannot be used, another process owns it, or what is in it is damaged.</exception>
    internal static EmbeddedLog Open(TopicsOptions options, TimeProvider time, ILogger<EmbeddedLog> logger)
    {
        var folder = LogFolder.Take(options.Dir, options.MinFreeBytes);
        try
        {
            return new EmbeddedLog(options, folder, time, logger);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public LogTopic? FindTopic(string name) => _table.Find(name) is { } topic ? Show(topic) : null;

    /// <inheritdoc/>
    public bool HasTopic(string name) => _table.Find(name) is not null;

    /// <inheritdoc/>
    public async ValueTask<Produced> ProduceAsync(Production production, CancellationToken cancellationToken)
    {
        Produced? refused = production.OnlyRepeats ? new Produced(ProduceOutcome.Draining, [])
            : WhyNotNow() ?? (HasTopic(production.Topic) ? null : new Produced(ProduceOutcome.NoTopic, []));
        if (production.Idempotency is not { } idempotency)
        {
            return refused ?? await AppendInTimeAsync(production, null).ConfigureAwait(false);
        }

        while (true)
        {
            // What is known is answered whatever the log's state is: it would be a lie to say that it was not taken.
            KnownKey? known = _idempotency.Enter(idempotency, takes: refused is null, out KnownKey? mine);
            if (known is not null)
            {
                if (await RepeatAsync(known, production, cancellationToken).ConfigureAwait(false) is { } repeated)
                {
                    return repeated;
                }

                continue;
            }

            return mine is not null ? await AppendInTimeAsync(production, mine).ConfigureAwait(false)
                : refused ?? new Produced(ProduceOutcome.TooManyKeys, []);
        }
    }

    /// <inheritdoc/>
    public ILogFeed OpenFeed() => new EmbeddedFeed(this);

    /// <summary>Where to begin to read for an offset.</summary>
    internal long PositionOf(int ordinal, long offset) => _state.Index.PositionOf(ordinal, offset, _file.Trim.Position);

    /// <summary>The sink has stored everything before an offset.</summary>
    internal void OnStored(TopicPartition partition, long nextOffset)
    {
        if (_table.OrdinalOf(partition) is { } ordinal)
        {
            _retention.OnStored(ordinal, nextOffset);
        }
    }

    /// <summary>Waits until the journal has more than was read, or there are other topics.</summary>
    internal async Task WaitForChangeAsync(long position, TopicTable seen, CancellationToken cancellationToken)
    {
        Task changed = Volatile.Read(ref _changed).Task;
        if (!ReferenceEquals(_table, seen))
        {
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task grown = Journal.WaitBeyondAsync(position, end.Token);
        await Task.WhenAny(grown, changed).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await grown.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It was the topics that changed.
        }
        catch (ObjectDisposedException error)
        {
            throw WhyUnread(error);
        }
    }

    /// <summary>What a reader is told of an error.</summary>
    internal TopicLogException WhyUnread(Exception error) => new($"The log in {Description} cannot be read: {error.Message}", error);

    /// <inheritdoc/>
    public void Observe(Meter meter)
    {
        meter.CreateObservableGauge("estat_topics_log_bytes", () => Bytes, description: "Bytes of the log on disk");
        meter.CreateObservableGauge("estat_topics_log_max_bytes", () => _options.MaxSizeBytes, description: "TOPICS_MAX_SIZE_BYTES");
        meter.CreateObservableGauge(
            "estat_topics_log_waiting_bytes", () => Journal.WaitingBytes, description: "Bytes of messages that wait for the disk");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _state.DisposeAsync().ConfigureAwait(false);
        _folder.Dispose();
        _changing.Dispose();
        _reading.Dispose();
        _ending.Dispose();
    }

    private Produced? WhyNotNow()
    {
        if ((Broken ?? _trouble.Hanging) is { } fault)
        {
            return new Produced(ProduceOutcome.Failed, [], fault);
        }

        if (_folder.IsShort)
        {
            return new Produced(
                ProduceOutcome.Full, [], $"The disk of TOPICS_DIR has less than {_options.MinFreeBytes} bytes free (TOPICS_MIN_FREE_BYTES).");
        }

        if (Bytes < _options.MaxSizeBytes)
        {
            return null;
        }

        string why = Pin switch
        {
            { Why: LogPinReason.NotStored } pin => $" The sink has not stored messages of topic {pin.Topic} yet.",
            { Why: LogPinReason.Retention } pin => $" The retention of topic {pin.Topic} keeps the oldest messages.",
            { } => $" It keeps the Idempotency-Keys of the last {GoDuration.Format(_options.Dedup)} (TOPICS_DEDUP), and the messages between them.",
            null => "",
        };
        return new Produced(ProduceOutcome.Full, [], $"The log holds {Bytes} bytes, which is TOPICS_MAX_SIZE_BYTES.{why}");
    }

    // Null: its production is certainly not in the log, and the key is new again.
    private async ValueTask<Produced?> RepeatAsync(KnownKey known, Production production, CancellationToken cancellationToken)
    {
        if (!known.IsOf(production.Idempotency!))
        {
            return new Produced(ProduceOutcome.OtherBody, []);
        }

        Produced ended = await InTimeAsync(known.Ended, production).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (ended.Outcome != ProduceOutcome.Perhaps || !known.Ended.IsCompleted)
        {
            return ended;
        }

        try
        {
            // A block that failed is never read once another one is durable behind it.
            _ = Journal.End == known.PerhapsAt ? await MarkAsync([]).ConfigureAwait(false) : null;
        }
        catch (TopicLogException)
        {
            return ended;
        }

        _idempotency.Remove(known);
        return null;
    }

    // What waits for a disk that hangs is answered; what becomes of it is known to its key once the disk goes on.
    private async ValueTask<Produced> AppendInTimeAsync(Production production, KnownKey? mine)
    {
        ValueTask<Produced> appending = mine is null ? AppendAsync(production) : AppendAsync(production, mine);
        return appending.IsCompleted ? await appending.ConfigureAwait(false)
            : await InTimeAsync(appending.AsTask(), production).ConfigureAwait(false);
    }

    private async Task<Produced> InTimeAsync(Task<Produced> appending, Production production) =>
        await Task.WhenAny(appending, _trouble.Hung).ConfigureAwait(false) == appending ? await appending.ConfigureAwait(false)
            : new Produced(ProduceOutcome.Perhaps, new MessagePosition?[production.Messages.Count], _trouble.Hanging);

    private async ValueTask<Produced> AppendAsync(Production production, KnownKey mine)
    {
        Produced produced = new(ProduceOutcome.Perhaps, []);
        try
        {
            return produced = await AppendAsync(production).ConfigureAwait(false);
        }
        finally
        {
            _idempotency.End(mine, produced, Journal.End);
        }
    }

    private async ValueTask<Produced> AppendAsync(Production production)
    {
        byte[]? record = null;
        try
        {
            ProductionPlan plan;
            PendingProduction pending;
            ValueTask<JournalPosition> appended;
            bool isTaken;
            do
            {
                TopicTable table = _table;
                plan = ProductionPlan.Of(production, table.Find(production.Topic)!, Interlocked.Increment(ref _turn));
                int length = ProductionLayout.LengthOf(production, plan.Ordinals.Length);
                if (record is null || record.Length < length)
                {
                    Return(record);
                    record = length <= LargestPooled ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);
                }

                ProductionLayout.Write(record.AsSpan(0, length), production, plan.Ordinals, plan.Counts, plan.RunOf);
                pending = new PendingProduction(plan.Ordinals.Length, production.Idempotency is not null);
                isTaken = TryAppend(table, record.AsMemory(0, length), pending, out appended);
            }
            while (!isTaken && appended.IsCanceled);

            if (!isTaken)
            {
                return new Produced(ProduceOutcome.Busy, []);
            }

            await appended.ConfigureAwait(false);
            _trouble.OnAppended();
            return new Produced(ProduceOutcome.Taken, plan.Positions(production.Topic, pending.Firsts));
        }
        catch (JournalFailedException error)
        {
            _trouble.OnFailed(error);
            return new Produced(
                error.IsCertainlyNotThere ? ProduceOutcome.Failed : ProduceOutcome.Perhaps, Unknown(error, production), error.Message);
        }
        finally
        {
            Return(record);
        }
    }

    // A key's messages lie in one partition up to a cut, and in one behind it: what was planned with other partitions is planned again.
    private bool TryAppend(TopicTable table, ReadOnlyMemory<byte> record, PendingProduction pending, out ValueTask<JournalPosition> appended)
    {
        lock (_appending)
        {
            if (!ReferenceEquals(table, _table))
            {
                appended = ValueTask.FromCanceled<JournalPosition>(new CancellationToken(canceled: true));
                return false;
            }

            return Journal.TryAppend(record, out appended, pending);
        }
    }

    private static MessagePosition?[] Unknown(JournalFailedException error, Production production) =>
        error.IsCertainlyNotThere ? [] : new MessagePosition?[production.Messages.Count];

    private static void Return(byte[]? record)
    {
        if (record?.Length <= LargestPooled)
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    private long Now() => Math.Max(_state.Numbers.LastTime, _clock.Now());

    private LogTopic Show(TopicEntry topic) => new(
        topic.Name, [.. topic.Ordinals.Select(ordinal => new LogPartition(_retention.StartOf(ordinal), _state.Numbers.EndOf(ordinal)))], 1,
        topic.CreatedAt, topic.Retention, topic.Cuts);
}
