// A block of encoded lines on its way from the requests to the writer of a partition.
namespace Estat.Core.Batching;

/// <summary>
/// Whole lines of one batch, in order. Filled under its partition's lock (or by one request alone), then handed to the partition's writer, which
/// returns it to the pool. A chunk never holds lines of two batches.
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

    internal int Room => Buffer.Length - Length;

    internal ReadOnlyMemory<byte> Lines => Buffer.AsMemory(0, Length);

    internal Span<byte> Free => Buffer.AsSpan(Length);

    internal void Reset()
    {
        Length = 0;
        Events = 0;
        Batch = null;
        Seals = null;
    }
}
