// The last writer of a partition: turns chunks into sealed batches.
using Estat.Base.Acks;
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>Compresses the chunks of its partition in order and hands sealed batches on. One loop; in a partition with a spool it comes after the
/// sync.</summary>
internal sealed class BatchWriter(
    Partition partition, ChannelReader<Chunk> chunks, ChunkPool pool, BatchEncoder encoder, ISegmentSeals? seals, IBatchCopies? copies,
    Func<SealedBatch, ValueTask> onSealed) : IDisposable
{
    private readonly bool _isSpooled = partition.Level != AckLevel.Memory;

    /// <summary>Works until the last chunk. Waiting for room downstream is what fills the partition.</summary>
    internal async Task RunAsync()
    {
        await foreach (Chunk chunk in chunks.ReadAllAsync().ConfigureAwait(false))
        {
            // Behind a spool only what was synced is in the batch.
            int events = _isSpooled ? chunk.SyncedEvents : chunk.Events;
            if (events > 0)
            {
                encoder.Append(chunk.Batch!, chunk.Buffer.AsSpan(0, _isSpooled ? chunk.SyncedLength : chunk.Length), events);
            }

            if (chunk.Seals is { } reason)
            {
                await SealAsync(chunk.Batch!, reason).ConfigureAwait(false);
            }

            partition.Release(chunk.Events, chunk.Buffer.Length);
            pool.Return(chunk);
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
