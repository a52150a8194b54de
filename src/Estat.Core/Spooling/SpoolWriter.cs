// Group commit: one flush serves all that wait.
using Estat.Core.Batching;
using Estat.Core.Ingest;
using Estat.Core.Metrics;

namespace Estat.Core.Spooling;

/// <summary>
/// The spool's one writer of a lane, on a thread of its own, as it spends its life in blocking calls. It takes whatever has gathered since its last flush,
/// writes it as records, flushes once, and lets all those requests go on. So a lone request waits for one flush and for nobody else, and under load a flush
/// serves as many as came during the one before. Chunks go on to the <see cref="BatchWriter"/>, in order, whether the disk took them or not.
/// </summary>
internal sealed class SpoolWriter(Partition lane, Spool spool, EstatInstruments instruments, TimeProvider time)
{
    private readonly Channel<Chunk> _flushed = Channel.CreateUnbounded<Chunk>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly List<Chunk> _group = [];
    private readonly List<OpenBatch> _touched = [];
    private readonly AckDispatch _acks = new();

    /// <summary>Chunks whose flush is over.</summary>
    internal ChannelReader<Chunk> Flushed => _flushed.Reader;

    /// <summary>Works until the lane is closed and empty. What it throws is a bug: the lane must take nothing more.</summary>
    internal Task RunAsync(string name)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                while (lane.WaitForChunks(_group))
                {
                    Commit();
                }

                _flushed.Writer.Complete();
                ended.SetResult();
            }
            catch (Exception error)
            {
                FailAll();
                _flushed.Writer.Complete();
                ended.SetException(error);
            }
        })
        { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }

    private void Commit()
    {
        long started = time.GetTimestamp();
        foreach (Chunk chunk in _group)
        {
            if (chunk.Events > 0)
            {
                Write(chunk);
            }
        }

        foreach (OpenBatch batch in _touched)
        {
            Flush(batch);
        }

        instruments.OnSpoolFlushed(time.GetElapsedTime(started));
        foreach (Chunk chunk in _group)
        {
            Settle(chunk);
        }

        _acks.Send();
        foreach (OpenBatch batch in _touched)
        {
            if (batch.IsSpoiled)
            {
                batch.Segment!.CutUnflushed();
            }
        }

        foreach (Chunk chunk in _group)
        {
            _flushed.Writer.TryWrite(chunk);
        }

        _touched.Clear();
        _group.Clear();
    }

    private void Write(Chunk chunk)
    {
        OpenBatch batch = chunk.Batch!;
        if (batch.IsSpoiled)
        {
            chunk.Refused = true;
            return;
        }

        try
        {
            batch.Segment ??= spool.Take(batch.Key, batch.Opened);
            if (!_touched.Contains(batch))
            {
                _touched.Add(batch);
            }

            batch.Segment.Append(chunk);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            chunk.Refused = true;
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
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            foreach (Chunk chunk in _group)
            {
                chunk.Refused |= chunk.Batch == batch;
            }

            Spoil(batch, error);
        }
    }

    private void Spoil(OpenBatch batch, Exception error)
    {
        instruments.OnSpoolFailed();
        spool.OnFailed(batch.Segment?.Name ?? batch.Key, error);
        batch.IsSpoiled = true;
        lane.EndBatch(batch);
    }

    private void Settle(Chunk chunk)
    {
        long requests = 0;
        foreach (AckWaiter waiter in chunk.Waiters)
        {
            if (waiter.OnChunk(!chunk.Refused))
            {
                requests += waiter.IsRefused ? 0 : 1;
                _acks.Add(waiter);
            }
        }

        if (!chunk.Refused)
        {
            lane.OnFlushed(chunk.Events, requests);
        }

        chunk.Waiters.Clear();
    }

    private void FailAll()
    {
        foreach (Chunk chunk in _group)
        {
            chunk.Refused = true;
            Settle(chunk);
        }

        _acks.Send();
    }
}
