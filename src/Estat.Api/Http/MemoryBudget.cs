// Bounds the memory that requests in progress hold together: INFLIGHT_BYTES.
namespace Estat.Api.Http;

/// <summary>A shared number of bytes; safe for concurrent use.</summary>
internal sealed class MemoryBudget(long bytes)
{
    private long _left = bytes;

    /// <summary>Bytes in all.</summary>
    internal long Total { get; } = bytes;

    /// <summary>Takes bytes, or none.</summary>
    internal bool TryTake(long count)
    {
        if (Interlocked.Add(ref _left, -count) >= 0)
        {
            return true;
        }

        Interlocked.Add(ref _left, count);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    internal void Return(long count) => Interlocked.Add(ref _left, count);
}
