// What passes between a partition and its spool writer.
namespace Estat.Collect.Batching;

/// <summary>Lines of one chunk that the spool writer takes to sync at once.</summary>
/// <param name="Chunk">Where they are; it may still be filled behind them.</param>
/// <param name="Lines">The lines; empty for a chunk that only carries a seal.</param>
/// <param name="Events">Their number.</param>
/// <param name="Waiters">Who waits for them.</param>
/// <param name="IsLast">Whether the chunk takes no more, and goes on to the batch writer.</param>
internal readonly record struct TakenLines(Chunk Chunk, ReadOnlyMemory<byte> Lines, int Events, AckWaiter[] Waiters, bool IsLast);
