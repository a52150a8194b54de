// Hands acknowledged requests back to the thread pool.
using System.Collections.Concurrent;
using Estat.Core.Ingest;

namespace Estat.Core.Spooling;

/// <summary>
/// Requests go on in slices: one work item each would cost more than the answers, all in one would leave the other cores idle. Used by one thread.
/// </summary>
internal sealed class AckDispatch
{
    // Some 16 answers of a few microseconds each: long beside the cost of a work item, short beside a flush.
    private const int SliceSize = 16;

    private readonly ConcurrentQueue<Slice> _idle = new();
    private Slice? _filling;

    internal void Add(AckWaiter waiter)
    {
        _filling ??= _idle.TryDequeue(out Slice? idle) ? idle : new Slice(_idle);
        if (_filling.Add(waiter))
        {
            Send();
        }
    }

    /// <summary>Sends what was added.</summary>
    internal void Send()
    {
        if (_filling is { } slice)
        {
            _filling = null;
            ThreadPool.UnsafeQueueUserWorkItem(slice, preferLocal: false);
        }
    }

    private sealed class Slice(ConcurrentQueue<Slice> idle) : IThreadPoolWorkItem
    {
        private readonly AckWaiter?[] _waiters = new AckWaiter?[SliceSize];
        private int _count;

        /// <summary>Whether it is full now.</summary>
        internal bool Add(AckWaiter waiter)
        {
            _waiters[_count++] = waiter;
            return _count == SliceSize;
        }

        public void Execute()
        {
            for (int i = 0; i < _count; i++)
            {
                AckWaiter waiter = _waiters[i]!;
                _waiters[i] = null;
                waiter.Complete();
            }

            _count = 0;
            idle.Enqueue(this);
        }
    }
}
