// Lets requests go on once their events are durable.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Estat.Base.Threading;

namespace Estat.Collect.Batching;

/// <summary>
/// The thread that synced answers the first few itself: waking others costs more than their answers. The rest goes to the thread pool, in slices:
/// one work item each would cost more than the answers, all in one would leave the other cores idle. Used by one thread. What goes on here are
/// requests' async methods and the fast door's answers, which keep their exceptions to themselves. Should one throw all the same, the others hear
/// their answer first; then it ends the thread, and the node turns unready and says so.
/// </summary>
internal sealed class AckDispatch
{
    // Some 16 answers of a few microseconds each: long beside the cost of a work item, short beside a sync.
    private const int SliceSize = 16;

    // Together about as long as a sync, so that the next one begins no later than half a period late.
    private const int OwnShare = 64;

    private readonly ConcurrentQueue<Slice> _idle = new();

    /// <summary>Lets them all go on, and forgets them.</summary>
    internal void Send(List<AckWaiter> due)
    {
        Span<AckWaiter> all = CollectionsMarshal.AsSpan(due);
        Span<AckWaiter> own = all[..Math.Min(OwnShare, all.Length)];
        for (Span<AckWaiter> rest = all[own.Length..]; !rest.IsEmpty;)
        {
            int count = Math.Min(SliceSize, rest.Length);
            Slice slice = _idle.TryDequeue(out Slice? idle) ? idle : new Slice(_idle);
            slice.Fill(rest[..count]);
            ThreadPool.UnsafeQueueUserWorkItem(slice, preferLocal: false);
            rest = rest[count..];
        }

        SyncingThread.IsCurrent = true;
        try
        {
            AckWaiter.CompleteAll(own);
        }
        finally
        {
            SyncingThread.IsCurrent = false;
            due.Clear(); // whatever happens, nobody is told twice
        }
    }

    private sealed class Slice(ConcurrentQueue<Slice> idle) : IThreadPoolWorkItem
    {
        private readonly AckWaiter?[] _waiters = new AckWaiter?[SliceSize];
        private int _count;

        internal void Fill(ReadOnlySpan<AckWaiter> waiters)
        {
            waiters.CopyTo(_waiters!);
            _count = waiters.Length;
        }

        public void Execute()
        {
            try
            {
                AckWaiter.CompleteAll(_waiters.AsSpan(0, _count)!);
            }
            finally
            {
                _waiters.AsSpan(0, _count).Clear();
                _count = 0;
                idle.Enqueue(this);
            }
        }
    }
}
