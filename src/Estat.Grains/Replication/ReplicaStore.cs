// The partner's side of replication: copies of other silos' batches, in a spool of their own.
using System.Threading.Channels;
using Estat.Base.Threading;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Grains.Replication;

/// <summary>
/// What tests try to refute: records are held in order and without gaps, so a copy is always a prefix of its batch; "held" is said only after an
/// fdatasync that began after the record was written; once a batch is finished here, no further record of it is held (it could only begin again from
/// its first); a finished batch is sealed and stored under its own key (<c>ObjectWriter</c> knows what to do when the owner, or another partner,
/// stored more or less of it), so finishing is safe whenever it happens, also while the owner lives. A batch is finished when its owner is gone, when
/// it has been held for too long without word from its owner, when this silo's disk fails under it, when this silo drains, and after a restart.
/// </summary>
/// <remarks>All state belongs to one thread, which takes calls in the order in which they come and syncs once for all that have gathered.</remarks>
public sealed partial class ReplicaStore : IReplicaHolder, IDisposable
{
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, HeldBatch> _held = [];
    private readonly HashSet<string> _seen = [];
    private readonly HashSet<string> _gone = [];
    private readonly List<(Hold Call, HeldBatch Batch)> _group = [];
    private readonly Spool _spool;
    private readonly SpoolBacklog _backlog;
    private readonly TimeSpan _longest;
    private readonly Func<bool> _storageFails;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private bool _drains;
    private int _batches;

    /// <param name="spool">Where copies are; its own folder.</param>
    /// <param name="backlog">Stores what is finished, and what is found in the spool at start.</param>
    /// <param name="longest">How long a copy is kept without word from its owner.</param>
    /// <param name="storageFails">Whether the store does not answer: then a living owner cannot have said so yet.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    internal ReplicaStore(Spool spool, SpoolBacklog backlog, TimeSpan longest, Func<bool> storageFails, TimeProvider time, ILogger logger)
    {
        _spool = spool;
        _backlog = backlog;
        _longest = longest;
        _storageFails = storageFails;
        _time = time;
        _logger = logger;
    }

    /// <summary>Batches of other silos that are held now.</summary>
    public int Batches => Volatile.Read(ref _batches);

    /// <summary>Events whose owner will not store them, and that are not stored yet.</summary>
    public long Orphans => _backlog.Events;

    /// <inheritdoc/>
    public Task<ReplicaAnswer> HoldAsync(ReplicaRecords records)
    {
        var call = new Hold(records);
        return _calls.Writer.TryWrite(call) ? call.Answer.Task : Task.FromResult(ReplicaAnswer.Refused);
    }

    /// <inheritdoc/>
    public void Release(IReadOnlyList<string> keys) => _calls.Writer.TryWrite(new Released(keys));

    /// <inheritdoc/>
    public void OnNeighbours(IReadOnlyCollection<string> aliveInstances) => _calls.Writer.TryWrite(new Neighbours(aliveInstances));

    /// <summary>Finishes all copies now and takes no more.</summary>
    internal void BeginDrain() => _calls.Writer.TryWrite(new Drain());

    /// <summary>Works on a thread of its own until <see cref="Dispose"/>.</summary>
    internal Task RunAsync() => OwnThread.Run("estat-replicas", Work);

    /// <summary>Finishes copies that are too old, once in a while.</summary>
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), _time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            _calls.Writer.TryWrite(new Sweep());
        }
    }

    /// <summary>Takes no more calls. Copies stay where they are, for the next start.</summary>
    public void Dispose() => _calls.Writer.TryComplete();

    private void Work()
    {
        try
        {
            while (_calls.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                TakeAll();
            }
        }
        catch
        {
            _calls.Writer.TryComplete();
            RefuseAll();
            throw;
        }
    }

    private void TakeAll()
    {
        while (_calls.Reader.TryRead(out Call? call))
        {
            switch (call)
            {
                case Hold hold:
                    Write(hold);
                    break;
                case Released released:
                    Forget(released.Keys);
                    break;
                case Neighbours neighbours:
                    Compare(neighbours.Instances);
                    break;
                case Sweep when _spool.IsGone:
                    FinishAll(_ => true, "the folder is gone, and a restart would not find the copy");
                    break;
                case Sweep when !_storageFails():
                    FinishAll(batch => _time.GetElapsedTime(batch.LastHeard) > _longest, "its owner has not said whether it is stored");
                    break;
                case Drain:
                    _drains = true;
                    FinishAll(_ => true, "this silo is draining");
                    break;
            }
        }

        Sync();
    }

    private void Write(Hold hold)
    {
        ReplicaRecords records = hold.Records;
        HeldBatch? batch = _held.GetValueOrDefault(records.Key);
        try
        {
            if (batch is null && MayBegin(records))
            {
                batch = new HeldBatch(_spool.Take(records.Key, DateTimeOffset.FromUnixTimeMilliseconds(records.OpenedUnixMs)));
                _held.Add(records.Key, batch);
                Interlocked.Increment(ref _batches);
            }

            if (batch is null || batch.NextSequence != records.FirstSequence)
            {
                // A gap, or a batch that was finished: whoever owns it must not rely on this copy.
                hold.Answer.SetResult(ReplicaAnswer.Refused);
                return;
            }

            _spool.ThrowIfGone();
            batch.Segment.Append(records.Lines, records.Events);
            batch.NextSequence += records.Events;
            batch.LastHeard = _time.GetTimestamp();
            _group.Add((hold, batch));
        }
        catch (Exception error) // whatever a file system has to say
        {
            Fail(records.Key, batch, error);
            hold.Answer.SetResult(ReplicaAnswer.Refused);
        }
    }

    private bool MayBegin(in ReplicaRecords records) =>
        records.FirstSequence == 1 && !_drains && !_spool.IsFull && !_spool.IsFailing && !_gone.Contains(ObjectKeys.InstanceOf(records.Key));

    private void Sync()
    {
        foreach (HeldBatch batch in _group.Select(item => item.Batch).Distinct().Where(batch => !batch.IsFinished).ToArray())
        {
            try
            {
                _spool.OnSyncing(this, begins: true);
                batch.Segment.Sync();
                _spool.OnSynced();
            }
            catch (Exception error) // whatever a file system has to say
            {
                Fail(_held.First(item => item.Value == batch).Key, batch, error);
            }
            finally
            {
                _spool.OnSyncing(this, begins: false);
            }
        }

        foreach ((Hold call, HeldBatch batch) in _group)
        {
            call.Answer.SetResult(batch.IsFinished ? ReplicaAnswer.Refused : ReplicaAnswer.Held);
        }

        _group.Clear();
    }

    private void Forget(IReadOnlyList<string> keys)
    {
        foreach (string key in keys)
        {
            if (_held.Remove(key, out HeldBatch? batch))
            {
                batch.IsFinished = true;
                batch.Segment.Delete();
                Interlocked.Decrement(ref _batches);
            }
        }
    }

    // Only who was seen can be missed: a silo that has just started may send records before the membership that it is in arrives here.
    private void Compare(IReadOnlyCollection<string> instances)
    {
        _gone.UnionWith(_seen.Except(instances));
        _seen.UnionWith(instances);
        FinishAll(batch => _gone.Contains(ObjectKeys.InstanceOf(batch.Key)), "its owner is gone");
    }

    private void FinishAll(Func<(string Key, long LastHeard), bool> which, string reason)
    {
        foreach ((string key, HeldBatch batch) in _held.Where(item => which((item.Key, item.Value.LastHeard))).ToArray())
        {
            LogFinished(_logger, key, batch.NextSequence - 1, reason);
            Finish(key, batch);
        }
    }

    private void Fail(string key, HeldBatch? batch, Exception error)
    {
        _spool.OnFailed(batch?.Segment.Name ?? key, error);
        if (batch is not null)
        {
            Finish(key, batch);
        }
    }

    // What was synced is durable, and what was not may go along: it was never acknowledged, and is stored once.
    private void Finish(string key, HeldBatch batch)
    {
        batch.IsFinished = true;
        _held.Remove(key);
        Interlocked.Decrement(ref _batches);
        _backlog.Adopt(batch.Segment);
    }

    private void RefuseAll()
    {
        _group.ForEach(item => item.Call.Answer.TrySetResult(ReplicaAnswer.Refused));
        while (_calls.Reader.TryRead(out Call? call))
        {
            (call as Hold)?.Answer.TrySetResult(ReplicaAnswer.Refused);
        }
    }

    private abstract record Call;

    private sealed record Hold(ReplicaRecords Records) : Call
    {
        internal TaskCompletionSource<ReplicaAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record Released(IReadOnlyList<string> Keys) : Call;

    private sealed record Neighbours(IReadOnlyCollection<string> Instances) : Call;

    private sealed record Sweep : Call;

    private sealed record Drain : Call;

    // The thread's own.
    private sealed class HeldBatch(Segment segment)
    {
        internal Segment Segment { get; } = segment;

        internal long NextSequence { get; set; } = 1;

        internal long LastHeard { get; set; }

        internal bool IsFinished { get; set; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This silo finishes {Key} with the {Events} events that it holds of it: {Reason}")]
    private static partial void LogFinished(ILogger logger, string key, long events, string reason);
}
