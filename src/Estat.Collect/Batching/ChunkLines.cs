// What a partition hands to its writers, and one writer to the next.
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>Lines of one chunk, all of one batch.</summary>
/// <param name="Chunk">Where they are. While <paramref name="IsLast"/> is false it is still being filled behind them.</param>
/// <param name="Batch">Their batch.</param>
/// <param name="Lines">The lines; empty for a chunk that only carries a seal.</param>
/// <param name="Events">Their number.</param>
/// <param name="Waiters">Who waits for their sync.</param>
/// <param name="IsLast">Whether the chunk takes no more: whoever has this is its owner.</param>
/// <param name="Seals">Whether the batch ends with this chunk, and why.</param>
internal readonly record struct ChunkLines(
    Chunk Chunk, OpenBatch Batch, ReadOnlyMemory<byte> Lines, int Events, AckWaiter[] Waiters, bool IsLast, FlushReason? Seals);
