// The chunk that a partition fills.
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>
/// Above <c>memory</c> it is synced in pieces while it is still being filled: what was taken of it does not change any more. A partition's own, under
/// its lock; it serves one chunk after another.
/// </summary>
internal sealed class FillingChunk
{
    private readonly List<AckWaiter> _waiters = [];
    private int _takenLength;
    private int _takenEvents;

    /// <summary>The chunk; null when there is none.</summary>
    internal Chunk? Chunk { get; private set; }

    /// <summary>The batch that its lines belong to; null before the first.</summary>
    internal OpenBatch? Batch { get; set; }

    /// <summary>Whether it holds lines that were not taken.</summary>
    internal bool HasUntaken => Chunk is { } chunk && chunk.Events > _takenEvents;

    /// <summary>Begins a chunk.</summary>
    internal void Begin(Chunk chunk)
    {
        Chunk = chunk;
        Batch = null;
    }

    /// <summary>Somebody waits for the lines that come next.</summary>
    internal void Add(AckWaiter waiter) => _waiters.Add(waiter);

    /// <summary>Takes the lines that were not taken yet, with who waits for them.</summary>
    internal ChunkLines Take() => Take(isLast: false, seals: null);

    /// <summary>Takes what is left; nothing is filled any more.</summary>
    /// <param name="seals">Whether the batch ends with the chunk, and why.</param>
    internal ChunkLines End(FlushReason? seals)
    {
        ChunkLines rest = Take(isLast: true, seals);
        Clear();
        return rest;
    }

    /// <summary>Gives a chunk back in which nothing is.</summary>
    internal Chunk? Drop()
    {
        Chunk? unused = Chunk;
        Clear();
        return unused;
    }

    private ChunkLines Take(bool isLast, FlushReason? seals)
    {
        Chunk chunk = Chunk!;
        AckWaiter[] waiters = _waiters.Count == 0 ? [] : [.. _waiters];
        _waiters.Clear();
        var taken = new ChunkLines(chunk, Batch!, chunk.Lines[_takenLength..], chunk.Events - _takenEvents, waiters, isLast, seals);
        _takenLength = chunk.Length;
        _takenEvents = chunk.Events;
        return taken;
    }

    private void Clear()
    {
        Chunk = null;
        Batch = null;
        _waiters.Clear();
        _takenLength = 0;
        _takenEvents = 0;
    }
}
