// What a gateway holds in memory, counted against its bounds.
namespace Estat.Grains.Forwarding;

/// <summary>Requests and chunks of all partitions, from their arrival to their answer. Any thread.</summary>
internal sealed class ForwardingQueue(PacketBounds bounds)
{
    private long _requests;
    private long _slowRequests;
    private long _bytes;
    private long _slowBytes;
    private TaskCompletionSource? _empty;

    /// <summary>Requests whose events are in memory.</summary>
    internal long Requests => Volatile.Read(ref _requests);

    /// <summary>The memory that their events hold, bytes.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether the next request would certainly be refused.</summary>
    internal bool IsFull(bool isSlow) =>
        Requests >= bounds.QueueRequests || Bytes >= bounds.QueueBytes
        || (isSlow && (Volatile.Read(ref _slowRequests) >= HalfOf(bounds.QueueRequests)
            || Volatile.Read(ref _slowBytes) >= HalfOf(bounds.QueueBytes)));

    /// <summary>Takes room for a request.</summary>
    internal bool TryAddRequest(bool isSlow) =>
        TryAdd(ref _requests, ref _slowRequests, 1, bounds.QueueRequests, isSlow, takesAnyWhenHalfEmpty: false);

    /// <summary>Takes memory for a chunk; any amount while half of it is free at least.</summary>
    internal bool TryAddBytes(long bytes, bool isSlow) =>
        TryAdd(ref _bytes, ref _slowBytes, bytes, bounds.QueueBytes, isSlow, takesAnyWhenHalfEmpty: true);

    /// <summary>Gives room back.</summary>
    internal void Remove(int requests, long bytes, bool isSlow)
    {
        if (isSlow)
        {
            Interlocked.Add(ref _slowRequests, -requests);
            Interlocked.Add(ref _slowBytes, -bytes);
        }

        Interlocked.Add(ref _bytes, -bytes);
        if (Interlocked.Add(ref _requests, -requests) == 0)
        {
            Volatile.Read(ref _empty)?.TrySetResult();
        }
    }

    /// <summary>Completes when there are no requests; asked once, when none are added any more.</summary>
    internal Task WhenEmpty()
    {
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _empty, empty);
        if (Requests == 0)
        {
            empty.TrySetResult();
        }

        return empty.Task;
    }

    private static bool TryAdd(ref long all, ref long slow, long amount, long most, bool isSlow, bool takesAnyWhenHalfEmpty)
    {
        if (!TryAdd(ref all, amount, most, takesAnyWhenHalfEmpty))
        {
            return false;
        }

        if (isSlow && !TryAdd(ref slow, amount, HalfOf(most), takesAnyWhenHalfEmpty))
        {
            Interlocked.Add(ref all, -amount);
            return false;
        }

        return true;
    }

    private static bool TryAdd(ref long count, long amount, long most, bool takesAnyWhenHalfEmpty)
    {
        long after = Interlocked.Add(ref count, amount);
        if (after <= most || (takesAnyWhenHalfEmpty && after - amount <= most / 2))
        {
            return true;
        }

        Interlocked.Add(ref count, -amount);
        return false;
    }

    private static long HalfOf(long most) => Math.Max(1, most / 2);
}
