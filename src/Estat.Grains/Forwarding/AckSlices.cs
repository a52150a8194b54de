// Hands a packet's answer to all who wait for it.
using System.Collections.Concurrent;
using Estat.Base.Acks;
using Estat.Collect.Batching;

namespace Estat.Grains.Forwarding;

/// <summary>Requests go on in slices on the thread pool: one after the other, the last of a thousand would wait for all others' answers to be
/// written. Any thread.</summary>
internal sealed class AckSlices
{
    // Some 16 answers of a few microseconds each: long beside the cost of a work item.
    private const int SliceSize = 16;

    private readonly ConcurrentQueue<Slice> _idle = new();

    /// <summary>Answers all of them. The list is the caller's again when this returns.</summary>
    internal void Answer(List<AckWaiter> waiters, Ack ack)
    {
        for (int next = 0; next < waiters.Count; next += SliceSize)
        {
            Slice slice = _idle.TryDequeue(out Slice? idle) ? idle : new Slice(_idle);
            slice.Fill(waiters, next, ack);
            ThreadPool.UnsafeQueueUserWorkItem(slice, preferLocal: false);
        }
    }

    private sealed class Slice(ConcurrentQueue<Slice> idle) : IThreadPoolWorkItem
    {
        private readonly AckWaiter?[] _waiters = new AckWaiter?[SliceSize];
        private int _count;
        private Ack _ack;

        internal void Fill(List<AckWaiter> waiters, int first, Ack ack)
        {
            _count = Math.Min(SliceSize, waiters.Count - first);
            waiters.CopyTo(first, _waiters!, 0, _count);
            _ack = ack;
        }

        public void Execute()
        {
            try
            {
                AckWaiter.CompleteAll(_waiters.AsSpan(0, _count)!, _ack);
            }
            finally
            {
                _waiters.AsSpan(0, _count).Clear();
                idle.Enqueue(this);
            }
        }
    }
}
