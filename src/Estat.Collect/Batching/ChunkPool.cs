// Chunks are large and long-lived: they are kept here instead of being left to the garbage collector.
using System.Collections.Concurrent;

namespace Estat.Collect.Batching;

/// <summary>A node's chunks. Keeps at most 8 MB of idle ones; more than that, after a burst, is given back to the runtime.</summary>
internal sealed class ChunkPool
{
    /// <summary>A chunk's size, bytes. Holds some 10 events of MAX_BODY_SIZE's default (2 if all of their bytes escape), and about 380 of 600
    /// bytes.</summary>
    internal const int ChunkBytes = 256 * 1024;

    private const long RetainedBytes = 32 * ChunkBytes;
    private readonly ConcurrentBag<Chunk> _idle = [];
    private long _idleBytes;

    /// <summary>An empty chunk with room for lines of at least <paramref name="least"/> bytes.</summary>
    internal Chunk Rent(int least)
    {
        if (least > ChunkBytes)
        {
            return new Chunk(GC.AllocateUninitializedArray<byte>(least));
        }

        if (_idle.TryTake(out Chunk? chunk))
        {
            Interlocked.Add(ref _idleBytes, -ChunkBytes);
            return chunk;
        }

        return new Chunk(GC.AllocateUninitializedArray<byte>(ChunkBytes));
    }

    /// <summary>Takes a chunk back; nobody may hold it any more.</summary>
    internal void Return(Chunk chunk)
    {
        chunk.Reset();
        if (chunk.Buffer.Length != ChunkBytes)
        {
            return;
        }

        if (Interlocked.Add(ref _idleBytes, ChunkBytes) > RetainedBytes)
        {
            Interlocked.Add(ref _idleBytes, -ChunkBytes);
            return;
        }

        _idle.Add(chunk);
    }
}
