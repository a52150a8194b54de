// What a partition's writers ask of it: lines to sync, batches that the disk failed, room that is free again.
using Estat.Base.Journal;
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

internal sealed partial class Partition : IGathered<TakenLines>
{
    /// <summary>Ends a batch that its disk or its partner failed, so that new requests get a fresh one. Nothing happens if it has ended.</summary>
    internal void EndBatch(OpenBatch batch, FlushReason reason)
    {
        bool wake = false;
        lock (_gate)
        {
            if (_open == batch)
            {
                Seal(reason);
                wake = _gathering.TakeWake();
            }
        }

        _gathering.Wake(wake);
    }

    /// <summary>Waits for lines that were not taken yet, those in the chunk that is being filled among them, and takes them all. For the spool
    /// writer's thread.</summary>
    /// <returns>False once the partition is closed and empty.</returns>
    internal bool WaitForLines(List<TakenLines> group) => _gathering.WaitForGroup(this, group);

    /// <inheritdoc/>
    Lock IGathered<TakenLines>.Gate => _gate;

    /// <inheritdoc/>
    bool IGathered<TakenLines>.IsClosed => _closed;

    /// <inheritdoc/>
    void IGathered<TakenLines>.TakeAll(List<TakenLines> group)
    {
        while (_ready.Reader.TryRead(out Chunk? chunk))
        {
            group.Add(Take(chunk, isLast: true));
        }

        if (_filling is { } filling && filling.Events > filling.TakenEvents)
        {
            group.Add(Take(filling, isLast: false));
        }
    }

    /// <summary>Events are durable and about to be acknowledged. Called by the spool writer only.</summary>
    internal void OnSynced(long events, long requests)
    {
        Volatile.Write(ref _acceptedEvents, _acceptedEvents + events);
        Volatile.Write(ref _acceptedRequests, _acceptedRequests + requests);
    }

    /// <summary>A chunk is through: its room is free again.</summary>
    internal void Release(int events, int bytes)
    {
        lock (_gate)
        {
            _waitingEvents -= events;
            _waitingBytes -= bytes;
        }
    }

    private static TakenLines Take(Chunk chunk, bool isLast)
    {
        AckWaiter[] waiters = chunk.Waiters.Count == 0 ? [] : [.. chunk.Waiters];
        chunk.Waiters.Clear();
        var taken = new TakenLines(chunk, chunk.Lines[chunk.TakenLength..], chunk.Events - chunk.TakenEvents, waiters, isLast);
        chunk.TakenLength = chunk.Length;
        chunk.TakenEvents = chunk.Events;
        return taken;
    }
}
