// What a gateway holds in memory, counted against its bounds.
namespace Estat.Grains.Forwarding;

/// <summary>Events and chunks of all partitions, from their arrival to their answer. Any thread.</summary>
internal sealed class ForwardingQueue(PacketBounds bounds)
{
    private long _events;
    private long _slowEvents;
    private long _bytes;
    private long _slowBytes;
    private TaskCompletionSource? _empty;

    /// <summary>Events in memory.</summary>
    internal long Events => Volatile.Read(ref _events);

    /// <summary>The memory that they hold, bytes.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether the next event would certainly be refused.</summary>
    internal bool IsFull(bool isSlow) =>
        Events >= bounds.QueueEvents || Bytes >= bounds.QueueBytes
        || (isSlow && (Volatile.Read(ref _slowEvents) >= HalfOf(bounds.QueueEvents) || Volatile.Read(ref _slowBytes) >= HalfOf(bounds.QueueBytes)));

    /// <summary>Takes room for one event in a chunk that is there already.</summary>
    internal bool TryAddEvent(bool isSlow) => TryAdd(ref _events, ref _slowEvents, 1, bounds.QueueEvents, isSlow, takesAnyWhenHalfEmpty: false);

    /// <summary>Takes room for a block's events: any number while the queue is half empty at least, or a large request might never succeed.</summary>
    internal bool TryAddEvents(int events, bool isSlow) =>
        TryAdd(ref _events, ref _slowEvents, events, bounds.QueueEvents, isSlow, takesAnyWhenHalfEmpty: true);

    /// <summary>Takes memory for a chunk; any amount while half of it is free at least.</summary>
    internal bool TryAddBytes(long bytes, bool isSlow) =>
        TryAdd(ref _bytes, ref _slowBytes, bytes, bounds.QueueBytes, isSlow, takesAnyWhenHalfEmpty: true);

    /// <summary>Gives room back.</summary>
    internal void Remove(int events, long bytes, bool isSlow)
    {
        if (isSlow)
        {
            Interlocked.Add(ref _slowEvents, -events);
            Interlocked.Add(ref _slowBytes, -bytes);
        }

        Interlocked.Add(ref _bytes, -bytes);
        if (Interlocked.Add(ref _events, -events) == 0)
        {
            Volatile.Read(ref _empty)?.TrySetResult();
        }
    }

    /// <summary>Completes when there are no events; asked once, when none are added any more.</summary>
    internal Task WhenEmpty()
    {
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _empty, empty);
        if (Events == 0)
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
