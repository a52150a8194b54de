// What a partition's writers ask of it: lines to sync, batches that the disk failed, room that is free again.
using Estat.Base.Journal;
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

internal sealed partial class Partition : IGathered<ChunkLines>
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
                wake = _groupCommit.TakeWake();
            }
        }

        _groupCommit.Wake(wake);
    }

    /// <summary>Waits for lines that were not taken yet, those in the chunk that is being filled among them, and takes them all. For the spool
    /// writer's thread.</summary>
    /// <returns>False once the partition is closed and empty.</returns>
    internal bool WaitForLines(List<ChunkLines> group) => _groupCommit.WaitForGroup(this, group);

    /// <inheritdoc/>
    Lock IGathered<ChunkLines>.Gate => _gate;

    /// <inheritdoc/>
    bool IGathered<ChunkLines>.IsClosed => _closed;

    /// <inheritdoc/>
    void IGathered<ChunkLines>.TakeAll(List<ChunkLines> group)
    {
        while (_ready.Reader.TryRead(out ChunkLines lines))
        {
            group.Add(lines);
        }

        if (_filling.HasUntaken)
        {
            group.Add(_filling.Take());
        }
    }

    /// <summary>Events are durable and about to be acknowledged. Called by the spool writer only.</summary>
    internal void OnSynced(long events, long requests)
    {
        Volatile.Write(ref _acceptedEvents, _acceptedEvents + events);
        Volatile.Write(ref _acceptedRequests, _acceptedRequests + requests);
    }

    /// <summary>A chunk is through: its room is free again.</summary>
    internal void Release(int requests, int bytes)
    {
        lock (_gate)
        {
            _waitingRequests -= requests;
            _waitingBytes -= bytes;
        }
    }
}
