// A block of encoded lines: pooled memory, filled by one owner.
namespace Estat.Collect.Batching;

/// <summary>
/// Whole lines, in order. Changed only by who fills it: a partition under its lock, or one request alone. What was filled does not change any more;
/// it is handed on as <see cref="ChunkLines"/>, and the last who has it returns it to the pool.
/// </summary>
internal sealed class Chunk(byte[] buffer)
{
    internal byte[] Buffer { get; } = buffer;

    /// <summary>Bytes of encoded lines.</summary>
    internal int Length { get; private set; }

    /// <summary>Lines.</summary>
    internal int Events { get; private set; }

    internal int Room => Buffer.Length - Length;

    internal ReadOnlyMemory<byte> Lines => Buffer.AsMemory(0, Length);

    internal Span<byte> Free => Buffer.AsSpan(Length);

    /// <summary>Counts lines that were written to <see cref="Free"/>.</summary>
    internal void Add(int events, int length)
    {
        Events += events;
        Length += length;
    }

    internal void Reset()
    {
        Length = 0;
        Events = 0;
    }
}
