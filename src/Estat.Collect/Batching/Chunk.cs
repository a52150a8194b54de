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

    /// <summary>Requests that brought them; one that filled several chunks counts in the first.</summary>
    internal int Requests { get; private set; }

    internal int Room => Buffer.Length - Length;

    internal ReadOnlyMemory<byte> Lines => Buffer.AsMemory(0, Length);

    internal Span<byte> Free => Buffer.AsSpan(Length);

    /// <summary>Counts lines that were written to <see cref="Free"/>.</summary>
    internal void Add(int events, int length)
    {
        Events += events;
        Length += length;
    }

    /// <summary>Counts a request whose lines are added.</summary>
    internal void AddRequest() => Requests++;

    internal void Reset()
    {
        Requests = 0;
        Length = 0;
        Events = 0;
    }
}
