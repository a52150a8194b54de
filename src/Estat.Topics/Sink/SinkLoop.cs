// The sink: reads the log's feed and stores batch after batch, whatever the database does meanwhile.
using System.Collections.Concurrent;
using Estat.Base.Logging;
using Estat.Base.Storage;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// One task runs it. A batch is tried until it is stored, and the next one is read meanwhile. When the database goes on elsewhere than was thought
/// (an answer was lost, or the operator has reset an offset), everything that was read is forgotten, and read again from there. When another one has
/// taken over, or the log is another one, it stops until the operator acts. Members are for any thread.
/// </summary>
internal sealed partial class SinkLoop : IAsyncDisposable
{
    private static readonly Backoff Retry = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));

    // How soon a reset is seen by a sink that has nothing to store, and a database that went away.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    private readonly ITopicLog _log;
    private readonly TopicsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NpgsqlDataSource _source;
    private readonly SinkStore _store;
    private readonly ConcurrentDictionary<MessagePosition, Refusal> _givenUp = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly ToldFault _told = new();
    private readonly ToldFault _toldChores = new();
    private TaskCompletionSource _wake = NewWake();
    private volatile SinkState _state;
    private volatile PinnedError? _pinned;
    private volatile bool _isPaused;
    private volatile bool _isResumed;
    private bool _isLogGood = true;
    private bool _isDisposed;
    private Task? _running;

    /// <param name="log">Where messages are.</param>
    /// <param name="address">The database.</param>
    /// <param name="options">Options of Topics.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="logger">Where transitions are told.</param>
    internal SinkLoop(ITopicLog log, NpgsqlConnectionStringBuilder address, TopicsOptions options, TimeProvider time, ILogger logger)
    {
        (_log, _options, _time, _logger) = (log, options, time, logger);
        _source = SinkSession.Source(address, options);
        Counters = new(time);
        _store = new(log, options, _source, Counters, time)
        {
            GivenUp = at => _givenUp.IsEmpty ? null : _givenUp.GetValueOrDefault(at),
        };
        _state = new(SinkActivity.Waiting, "it has just begun", time.GetUtcNow());
    }

    /// <summary>What it counts.</summary>
    internal SinkCounters Counters { get; }

    /// <summary>What it is doing.</summary>
    internal SinkState State => _state;

    /// <summary>A message that is tried again and again, alone to blame; null: none.</summary>
    internal PinnedError? Pinned => _pinned;

    /// <summary>Why partitions of days cannot be made, or dropped by TOPICS_KEEP; null: they can.</summary>
    internal string? ChoreFault => _store.ChoreFault;

    /// <summary>How far its partitions are.</summary>
    internal IReadOnlyList<PartitionProgress> Progress
    {
        get
        {
            IReadOnlyDictionary<TopicPartition, OwnedPartition> owned = _store.ByPartition;
            // Before the database answers for the first time: what waits is what the log has.
            IEnumerable<TopicPartition> partitions = owned.Count > 0 || _options.Log == LogKind.Kafka
                ? owned.Keys
                : _log.Topics.SelectMany(topic => topic.Partitions.Select((_, partition) => new TopicPartition(topic.Name, partition)));
            return [.. partitions.Select(partition => ProgressOf(partition, owned.GetValueOrDefault(partition)))];
        }
    }

    /// <summary>The first offset of a partition that is not stored; null when it is not this sink's.</summary>
    /// <param name="partition">Which.</param>
    internal long? NextOf(TopicPartition partition) =>
        _store.ByPartition.TryGetValue(partition, out OwnedPartition? owned) && owned.IsKnown ? owned.Next : null;

    /// <summary>Begins.</summary>
    internal void Start() => _running = Task.Run(RunAsync);

    /// <summary>Stores nothing until <see cref="Resume"/>, once the batch under way is stored.</summary>
    internal void Pause()
    {
        _isPaused = true;
        Wake();
    }

    /// <summary>Goes on: after <see cref="Pause"/>, and after a stop, once the operator has removed its cause.</summary>
    internal void Resume()
    {
        _isPaused = false;
        _isResumed = true;
        Wake();
    }

    /// <summary>Looks at once whether the offsets in the database have changed, as after a reset.</summary>
    internal void Look() => Wake();

    /// <summary>Makes the message of <see cref="Pinned"/> a dead letter at the next attempt.</summary>
    /// <param name="at">Its position, so that no other is meant.</param>
    /// <returns>Whether it is the one.</returns>
    internal bool GiveUp(MessagePosition at)
    {
        if (_pinned is not { } pinned || pinned.At != at)
        {
            return false;
        }

        _givenUp[at] = new(RefusalCode.GivenUp, $"the operator gave it up: {pinned.Error}");
        Wake();
        return true;
    }

    /// <summary>Ends after the transaction that is under way.</summary>
    /// <param name="budget">How long that may take; then it is broken off, which is as good as a lost answer.</param>
    internal async Task StopAsync(TimeSpan budget)
    {
        await _draining.CancelAsync().ConfigureAwait(false);
        if (_running is not { } running)
        {
            return;
        }

        if (await Task.WhenAny(running, Task.Delay(budget, _time)).ConfigureAwait(false) != running)
        {
            await _ending.CancelAsync().ConfigureAwait(false);
        }

        await running.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
        _draining.Dispose();
        _ending.Dispose();
    }

    private static TaskCompletionSource NewWake() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Wake() => Interlocked.Exchange(ref _wake, NewWake()).TrySetResult();

    private PartitionProgress ProgressOf(TopicPartition partition, OwnedPartition? owned)
    {
        LogPartition? bounds = _log.BoundsOf(partition);
        long next = owned?.IsKnown == true ? owned.Next : bounds?.Start ?? 0;
        return new(partition, next, bounds?.End ?? next, bounds?.Start ?? 0);
    }

    private async Task RunAsync()
    {
        for (int failures = 0; !_draining.IsCancellationRequested;)
        {
            Task wake = Volatile.Read(ref _wake).Task;
            try
            {
                await RunOnceAsync().ConfigureAwait(false);
                failures = 0;
            }
            catch (Exception error)
            {
                // A defect: it must not end the sink in silence.
                if (failures++ == 0)
                {
                    LogDefect(_logger, error);
                }

                await UntilWokenAsync(Retry.After(failures), wake).ConfigureAwait(false);
            }
        }
    }

    private async Task RunOnceAsync()
    {
        try
        {
            try
            {
                await RunFeedAsync().ConfigureAwait(false);
            }
            catch (Exception) when (_draining.IsCancellationRequested)
            {
                // What is not stored is read again at the next start.
            }
            catch (SinkFaultException fault)
            {
                await StandAsync(fault.Message).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // The log's feed, a hand-over, or a defect: in each case the sink begins anew.
                Counters.Retries.Increment();
                _isLogGood = false;
                ReportWaiting(SinkTroubles.OfFeed(error), error);
                await UntilWokenAsync(Retry.Longest, Volatile.Read(ref _wake).Task).ConfigureAwait(false);
            }
        }
        finally
        {
            await _store.CloseAsync().ConfigureAwait(false);
            _pinned = null;
            // Kafka assigns them anew. Embedded, the next takeover shall find out when another one has taken them meanwhile.
            if (_options.Log == LogKind.Kafka)
            {
                _store.Forget();
            }
        }
    }

    // Until the operator says that it may go on: then whose the partitions were is forgotten.
    private async Task StandAsync(string fault)
    {
        _isResumed = false;
        await _store.CloseAsync().ConfigureAwait(false);
        _pinned = null;
        _state = new(SinkActivity.Stopped, fault, _time.GetUtcNow());
        LogStopped(_logger, fault);
        while (!_draining.IsCancellationRequested)
        {
            Task wake = Volatile.Read(ref _wake).Task;
            if (_isResumed)
            {
                _store.Forget();
                return;
            }

            await UntilWokenAsync(Timeout.InfiniteTimeSpan, wake).ConfigureAwait(false);
        }
    }

    // Returns when one of the tasks ends, when the time is over, and when the sink drains.
    private async Task UntilWokenAsync(TimeSpan most, params Task[] tasks)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_draining.Token);
        await Task.WhenAny([.. tasks, Task.Delay(most, _time, over.Token)]).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }
}
