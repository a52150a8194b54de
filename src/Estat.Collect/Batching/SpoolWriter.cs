// Group commit: one sync serves all that wait.
using Estat.Base.Acks;
using Estat.Base.Threading;
using Estat.Collect.Metrics;
using Estat.Collect.Spooling;

namespace Estat.Collect.Batching;

/// <summary>
/// The spool's one writer of a partition, on a thread of its own, as it spends its life in blocking calls. It takes whatever has gathered since its
/// last sync, writes it as records, syncs once, and lets all those requests go on. So a lone request waits for one sync and for nobody else, and
/// under load a sync serves as many as came during the one before. Chunks go on to the <see cref="BatchWriter"/>, in order, whether the disk took
/// them or not.
/// </summary>
/// <param name="partition">Whose lines it takes.</param>
/// <param name="spool">Where it writes them.</param>
/// <param name="copies">Sends them to another node as well; null below <c>replica</c>.</param>
/// <param name="instruments">What is counted.</param>
/// <param name="time">Clock.</param>
internal sealed class SpoolWriter(Partition partition, Spool spool, IGroupCopies? copies, EstatInstruments instruments, TimeProvider time)
{
    private readonly Channel<ChunkLines> _synced = Channel.CreateUnbounded<ChunkLines>(new UnboundedChannelOptions { SingleReader = true,
        SingleWriter = true });
    private readonly List<ChunkLines> _group = [];
    private readonly List<ChunkLines> _through = [];
    private readonly HashSet<Chunk> _refused = [];
    private readonly List<OpenBatch> _touched = [];
    private readonly List<AckWaiter> _due = [];
    private readonly AckDispatch _acks = new();
    private int _syncedLength; // of the chunk whose lines come next; its first ones, as the disk that refused some refuses all behind them
    private int _syncedEvents;
    private bool _isSettled;

    /// <summary>Chunks whose sync is over, with the lines that were synced. The rest was refused by the disk and is in no batch.</summary>
    internal ChannelReader<ChunkLines> Synced => _synced.Reader;

    /// <summary>Works until the partition is closed and empty. What it throws is a bug: the partition must take nothing more.</summary>
    internal Task RunAsync(string name) => OwnThread.Run(name, Work);

    private void Work()
    {
        try
        {
            while (partition.WaitForLines(_group))
            {
                Commit();
            }
        }
        catch
        {
            RefuseAll();
            throw;
        }
        finally
        {
            _synced.Writer.Complete();
        }
    }

    private void Commit()
    {
        long started = time.GetTimestamp();
        spool.OnSyncing(this, begins: true);
        foreach (ChunkLines taken in _group)
        {
            if (taken.Events > 0)
            {
                Write(taken);
            }
        }

        copies?.Begin(_group, _refused);
        foreach (OpenBatch batch in _touched)
        {
            Sync(batch);
        }

        spool.OnSyncing(this, begins: false);
        if (_touched.Count > 0)
        {
            instruments.OnSpoolSynced(time.GetElapsedTime(started));
        }

        copies?.End();
        SettleAll();
        foreach (OpenBatch batch in _touched)
        {
            if (batch.IsSpoiled)
            {
                batch.Segment!.CutUnsynced();
            }
        }

        foreach (ChunkLines lines in _through)
        {
            _synced.Writer.TryWrite(lines);
        }

        _through.Clear();
        _touched.Clear();
        _refused.Clear();
        _group.Clear();
        _isSettled = false;
    }

    private void Write(in ChunkLines taken)
    {
        OpenBatch batch = taken.Batch;
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

    // What was written before a write failed can still be synced; what a sync failed on cannot.
    private void Sync(OpenBatch batch)
    {
        try
        {
            batch.Segment!.Sync();
            if (!batch.IsSpoiled)
            {
                spool.OnSynced();
            }
        }
        catch (Exception error) // whatever a file system has to say
        {
            foreach (ChunkLines taken in _group)
            {
                if (taken.Batch == batch)
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
        foreach (ChunkLines taken in _group)
        {
            bool isSynced = !_refused.Contains(taken.Chunk);
            AckLevel? reached = !isSynced || copies is null ? AckLevel.Disk : copies.LevelOf(taken.Batch);
            Admission admission = !isSynced ? Admission.DiskFailed : reached is null ? Admission.NoReplica : Admission.Accepted;
            if (isSynced)
            {
                _syncedLength += taken.Lines.Length;
                _syncedEvents += taken.Events;
                events += taken.Events;
                if (copies is not null && reached == AckLevel.Disk)
                {
                    instruments.OnReplicaDegraded(taken.Events);
                }
            }

            if (taken.IsLast)
            {
                _through.Add(taken with { Lines = taken.Chunk.Lines[.._syncedLength], Events = _syncedEvents, Waiters = [] });
                _syncedLength = 0;
                _syncedEvents = 0;
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

        partition.OnSynced(events, requests);
        _acks.Send(_due);
    }

    // After a crash of this writer: nobody may wait for a sync that will not come. What was synced is in the spool, for the next start.
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
