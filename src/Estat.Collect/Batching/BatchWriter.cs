// The last writer of a partition: turns chunks into sealed batches.
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>Compresses the chunks of its partition in order and hands sealed batches on. One loop; in a partition with a spool it comes after the
/// sync.</summary>
internal sealed class BatchWriter(
    Partition partition, ChannelReader<ChunkLines> chunks, ChunkPool pool, BatchEncoder encoder, ISegmentSeals? seals, IBatchCopies? copies,
    Func<SealedBatch, ValueTask> onSealed) : IDisposable
{
    /// <summary>Works until the last chunk. Waiting for room downstream is what fills the partition.</summary>
    internal async Task RunAsync()
    {
        await foreach (ChunkLines lines in chunks.ReadAllAsync().ConfigureAwait(false))
        {
            if (lines.Events > 0)
            {
                encoder.Append(lines.Batch, lines.Lines.Span, lines.Events);
            }

            if (lines.Seals is { } reason)
            {
                await SealAsync(lines.Batch, reason).ConfigureAwait(false);
            }

            partition.Release(lines.Chunk.Requests, lines.Chunk.Buffer.Length);
            pool.Return(lines.Chunk);
        }
    }

    public void Dispose() => encoder.Dispose();

    private async ValueTask SealAsync(OpenBatch open, FlushReason reason)
    {
        if (encoder.IsEmpty)
        {
            // The disk refused all of it.
            open.Segment?.Delete();
            copies?.OnSafe(open.Key);
            open.Outcome?.TrySetResult(false);
            return;
        }

        SealedBatch batch = encoder.Seal(reason);
        batch.Trace = BatchSpans.Sealed(batch);
        if (batch.Segment is not null && !seals!.TrySeal(batch))
        {
            return;
        }

        await onSealed(batch).ConfigureAwait(false);
    }
}
