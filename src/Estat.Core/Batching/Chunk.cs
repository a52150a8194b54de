// A block of encoded lines on its way from the requests to the writers of a partition.
using Estat.Core.Ingest;
using Estat.Core.Spooling;

namespace Estat.Core.Batching;

/// <summary>
/// Whole lines of one batch, in order. Filled under its partition's lock (or by one request alone), then handed to the partition's writers, the last of
/// which returns it to the pool. A chunk never holds lines of two batches. The lines stand behind room for a record's frame, so that a chunk goes to the
/// spool as one piece, without a copy.
/// </summary>
internal sealed class Chunk(byte[] buffer)
{
    internal byte[] Buffer { get; } = buffer;

    /// <summary>Bytes of encoded lines.</summary>
    internal int Length { get; set; }

    /// <summary>Lines.</summary>
    internal int Events { get; set; }

    /// <summary>The batch that the lines belong to; set when the chunk enters a partition.</summary>
    internal OpenBatch? Batch { get; set; }

    /// <summary>Whether the batch ends with this chunk, and why.</summary>
    internal FlushReason? Seals { get; set; }

    /// <summary>Whether the disk refused it: its lines are in no batch. Set by the lane's spool writer.</summary>
    internal bool Refused { get; set; }

    /// <summary>Who waits for its flush.</summary>
    internal List<AckWaiter> Waiters { get; } = [];

    internal int Room => Buffer.Length - SegmentFormat.FrameBytes - Length;

    internal ReadOnlyMemory<byte> Lines => Buffer.AsMemory(SegmentFormat.FrameBytes, Length);

    internal Span<byte> Free => Buffer.AsSpan(SegmentFormat.FrameBytes + Length);

    /// <summary>Frame and lines.</summary>
    internal Span<byte> Record => Buffer.AsSpan(0, SegmentFormat.FrameBytes + Length);

    internal void Reset()
    {
        Length = 0;
        Events = 0;
        Batch = null;
        Seals = null;
        Refused = false;
        Waiters.Clear();
    }
}
