// Group commit: one flush serves all that wait.
using Estat.Base.Acks;
using Estat.Collect.Metrics;
using Estat.Collect.Spooling;

namespace Estat.Collect.Batching;

/// <summary>
/// The spool's one writer of a partition, on a thread of its own, as it spends its life in blocking calls. It takes whatever has gathered since its
/// last flush, writes it as records, flushes once, and lets all those requests go on. So a lone request waits for one flush and for nobody else, and
/// under load a flush serves as many as came during the one before. Chunks go on to the <see cref="BatchWriter"/>, in order, whether the disk took
/// them or not.
/// </summary>
/// <param name="partition">Whose lines it takes.</param>
/// <param name="spool">Where it writes them.</param>
/// <param name="copies">Sends them to another node as well; null below <c>replica</c>.</param>
/// <param name="instruments">What is counted.</param>
/// <param name="time">Clock.</param>
internal sealed class SpoolWriter(Partition partition, Spool spool, IGroupCopies? copies, EstatInstruments instruments, TimeProvider time)
{
    private readonly Channel<Chunk> _flushed = Channel.CreateUnbounded<Chunk>(new UnboundedChannelOptions { SingleReader = true,
        SingleWriter = true });
    private readonly List<TakenLines> _group = [];
    private readonly HashSet<Chunk> _refused = [];
    private readonly List<OpenBatch> _touched = [];
    private readonly List<AckWaiter> _due = [];
    private readonly AckDispatch _acks = new();
    private bool _isSettled;

    /// <summary>Chunks whose flush is over.</summary>
    internal ChannelReader<Chunk> Flushed => _flushed.Reader;

    /// <summary>Works until the partition is closed and empty. What it throws is a bug: the partition must take nothing more.</summary>
    internal Task RunAsync(string name)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                while (partition.WaitForLines(_group))
                {
                    Commit();
                }

                ended.SetResult();
            }
            catch (Exception error)
            {
                RefuseAll();
                ended.SetException(error);
            }
            finally
            {
                _flushed.Writer.Complete();
            }
        })
        { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }

    private void Commit()
    {
        long started = time.GetTimestamp();
        spool.OnFlushing(this, begins: true);
        foreach (TakenLines taken in _group)
        {
            if (taken.Events > 0)
            {
                Write(taken);
            }
        }

        copies?.Begin(_group, _refused);
        foreach (OpenBatch batch in _touched)
        {
            Flush(batch);
        }

        spool.OnFlushing(this, begins: false);
        if (_touched.Count > 0)
        {
            instruments.OnSpoolFlushed(time.GetElapsedTime(started));
        }

        copies?.End();
        SettleAll();
        foreach (OpenBatch batch in _touched)
        {
            if (batch.IsSpoiled)
            {
                batch.Segment!.CutUnflushed();
            }
        }

        foreach (TakenLines taken in _group)
        {
            if (taken.IsLast)
            {
                _flushed.Writer.TryWrite(taken.Chunk);
            }
        }

        _touched.Clear();
        _refused.Clear();
        _group.Clear();
        _isSettled = false;
    }

    private void Write(in TakenLines taken)
    {
        OpenBatch batch = taken.Chunk.Batch!;
        if (batch.IsSpoiled)
        {
            _refused.Add(taken.Chunk);
            return;
        }

        try
        {
            spool.ThrowIfGone();
            batch.Segment ??= spool.Take(batch.Key, batch.Opened);
            if (!_touched.Contains(batch))
            {
                _touched.Add(batch);
            }

            batch.Segment.Append(taken.Lines, taken.Events);
        }
        catch (Exception error) // whatever a file system has to say
        {
            _refused.Add(taken.Chunk);
            Spoil(batch, error);
        }
    }

    // What was written before a write failed can still be flushed; what a flush failed on cannot.
    private void Flush(OpenBatch batch)
    {
        try
        {
            batch.Segment!.Flush();
            if (!batch.IsSpoiled)
            {
                spool.OnFlushed();
            }
        }
        catch (Exception error) // whatever a file system has to say
        {
            foreach (TakenLines taken in _group)
            {
                if (taken.Chunk.Batch == batch)
                {
                    _refused.Add(taken.Chunk);
                }
            }

            Spoil(batch, error);
        }
    }

    private void Spoil(OpenBatch batch, Exception error)
    {
        instruments.OnSpoolFailed();
        spool.OnFailed(batch.Segment?.Name ?? batch.Key, error);
        batch.IsSpoiled = true;
        partition.EndBatch(batch, FlushReason.DiskFailure);
    }

    // From here on the requests go on: nothing of theirs may still be in doubt, and they are counted before they are told.
    private void SettleAll()
    {
        _isSettled = true;
        long events = 0;
        long requests = 0;
        foreach (TakenLines taken in _group)
        {
            bool isFlushed = !_refused.Contains(taken.Chunk);
            AckLevel? reached = !isFlushed || copies is null ? AckLevel.Disk : copies.LevelOf(taken.Chunk.Batch!);
            Admission admission = !isFlushed ? Admission.DiskFailed : reached is null ? Admission.NoReplica : Admission.Accepted;
            if (isFlushed)
            {
                taken.Chunk.FlushedLength += taken.Lines.Length;
                taken.Chunk.FlushedEvents += taken.Events;
                events += taken.Events;
                if (copies is not null && reached == AckLevel.Disk)
                {
                    instruments.OnReplicaDegraded(taken.Events);
                }
            }

            foreach (AckWaiter waiter in taken.Waiters)
            {
                if (waiter.OnChunk(admission, reached ?? AckLevel.Disk))
                {
                    requests += waiter.IsRefused ? 0 : 1;
                    _due.Add(waiter);
                }
            }
        }

        partition.OnFlushed(events, requests);
        _acks.Send(_due);
    }

    // After a crash of this writer: nobody may wait for a flush that will not come. What was flushed is in the spool, for the next start.
    private void RefuseAll()
    {
        partition.Close();
        do
        {
            if (!_isSettled)
            {
                _refused.UnionWith(_group.Select(taken => taken.Chunk));
                SettleAll();
            }

            _group.Clear();
            _refused.Clear();
            _isSettled = false;
        }
        while (partition.WaitForLines(_group));
    }
}
