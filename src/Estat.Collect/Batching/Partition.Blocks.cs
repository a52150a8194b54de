// How the events of one request to /collect/batch enter a partition.
using System.Diagnostics;
using Estat.Base.Acks;
using Estat.Base.Metrics;

namespace Estat.Collect.Batching;

internal sealed partial class Partition
{
    /// <summary>Blocks of up to this many bytes are copied, which takes some microseconds under the lock; larger ones are handed over
    /// whole.</summary>
    private const int CopiedBytes = 32 * 1024;

    // More keys than these would not fit into the headers that proxies take.
    private const int MostKeysTold = 8;

    /// <summary>
    /// Takes lines that a request encoded on its own, all or none. A partition that is half empty at least takes any number of them: otherwise a
    /// large request might never succeed.
    /// </summary>
    /// <param name="block">The lines.</param>
    /// <param name="batches">Gets the batches that they went to, in order; null when nobody asks.</param>
    internal Appended Append(LineBlock block, List<OpenBatch>? batches)
    {
        Appended appended;
        bool wake;
        lock (_gate)
        {
            appended = AppendLocked(block, batches);
            wake = _groupCommit.TakeWake();
        }

        _groupCommit.Wake(wake);
        return appended;
    }

    private Appended AppendLocked(LineBlock block, List<OpenBatch>? batches)
    {
        if (_closed)
        {
            return new Appended(Admission.Draining);
        }

        if (_waitingRequests >= _maxRequests)
        {
            HandOver(null); // what is in it may be done with, and make room for the next attempt
            return new Appended(Admission.QueueFull);
        }

        return block.Only is { Length: <= CopiedBytes } small ? AppendCopy(small, block, batches) : AppendWhole(block, batches);
    }

    // Few lines are copied into the shared chunk: handing over a chunk for each small request would use the partition's memory up with empty space.
    private Appended AppendCopy(Chunk lines, LineBlock block, List<OpenBatch>? batches)
    {
        SealIfOver(lines.Events);
        if (!TryMakeRoom(lines.Length))
        {
            return new Appended(Admission.QueueFull);
        }

        OpenBatch batch = _filling.Batch ??= Open();
        batches?.Add(batch);
        NoteRequests(batch, block);
        ValueTask<Ack> ack = Await(batch);
        lines.Lines.Span.CopyTo(_filling.Chunk!.Free);
        AddToFilling(lines.Events, lines.Length);
        SealIfDue();
        return new Appended(Admission.Accepted, ack, batch);
    }

    // Of this node, or of the gateway that sent them.
    private static void NoteRequests(OpenBatch batch, LineBlock block)
    {
        NoteRequest(batch);
        if (EstatActivities.IsOn && block.Requests is { } requests)
        {
            foreach (ActivityContext request in requests)
            {
                batch.Note(request);
            }
        }
    }

    private Appended AppendWhole(LineBlock block, List<OpenBatch>? batches)
    {
        if (!Fits(block.BufferBytes, _waitingBytes, _maxBytes))
        {
            return new Appended(Admission.QueueFull);
        }

        HandOver(null);
        List<Chunk> chunks = block.TakeChunks();
        AckWaiter? waiter = _waiters?.Rent();
        waiter?.Begin(chunks.Count);
        _groupCommit.Add();
        OpenBatch? batch = null;
        string keys = "";
        int told = 0;
        foreach (Chunk chunk in chunks)
        {
            SealIfOver(chunk.Events);
            _filling.Begin(chunk);
            _waitingBytes += chunk.Buffer.Length;
            _filling.Batch = Open();
            if (batch != _filling.Batch)
            {
                batch = _filling.Batch;
                batches?.Add(batch);
                NoteRequests(batch, block);
                keys = ++told == 1 ? batch.Key : told <= MostKeysTold ? $"{keys}, {batch.Key}" : keys;
            }

            if (waiter is not null)
            {
                _filling.Add(waiter);
            }

            if (chunk == chunks[0])
            {
                NoteWaiting(chunk);
            }

            Count(chunk.Events, chunk.Length);
            HandOver(null);
        }

        CountRequest();
        SealIfDue();
        waiter?.Key = keys;
        return new Appended(Admission.Accepted, waiter?.Task ?? InMemory(keys), batch);
    }
}
