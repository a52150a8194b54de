// One request that waits for its events to be synced.
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using Estat.Base.Acks;
using Estat.Base.Threading;

namespace Estat.Collect.Batching;

/// <summary>
/// Completed once all chunks that hold its request's events are through their sync, or have failed. Pooled: whoever awaits <see cref="Task"/> gives
/// it back by doing so.
/// </summary>
internal sealed class AckWaiter(AckWaiterPool pool) : IValueTaskSource<Ack>
{
    private ManualResetValueTaskSourceCore<Ack> _core;
    private int _left;
    private volatile Admission _admission;
    private AckLevel _level;

    /// <summary>What the request awaits, once.</summary>
    internal ValueTask<Ack> Task => new(this, _core.Version);

    // What its chunks came to.
    private Ack Heard => IsRefused ? new Ack(_admission, AckLevel.Memory, "") : new Ack(Admission.Accepted, _level, Key);

    /// <summary>Whether any of its events were refused.</summary>
    internal bool IsRefused => _admission != Admission.Accepted;

    /// <summary>The keys of the batches that hold its events; set under the partition's lock, before anybody can complete it.</summary>
    internal string Key { get; set; } = "";

    /// <summary>Begins a wait.</summary>
    /// <param name="chunks">How many chunks hold its events.</param>
    internal void Begin(int chunks)
    {
        _left = chunks;
        _admission = Admission.Accepted;
        _level = AckLevel.Stored;
        Key = "";
    }

    /// <summary>One of its chunks is through. Its chunks are in one partition, so this has one caller at a time.</summary>
    /// <param name="admission">Accepted, or what refused it.</param>
    /// <param name="level">The level that it reached.</param>
    /// <returns>Whether it was the last: <see cref="CompleteAll"/> is due.</returns>
    internal bool OnChunk(Admission admission, AckLevel level)
    {
        if (admission != Admission.Accepted)
        {
            _admission = admission;
        }

        if (level < _level)
        {
            _level = level;
        }

        return Interlocked.Decrement(ref _left) == 0;
    }

    /// <summary>Lets them all go on, on this thread. One that throws keeps no other from its answer.</summary>
    /// <param name="waiters">Those that are due.</param>
    /// <param name="answer">An answer that came from elsewhere; null for what each has heard of its chunks.</param>
    /// <exception cref="Exception">The first that one of them threw, once all have their answers.</exception>
    internal static void CompleteAll(ReadOnlySpan<AckWaiter> waiters, Ack? answer = null)
    {
        ExceptionDispatchInfo? fault = null;
        AnswerBunch.Begin();
        foreach (AckWaiter waiter in waiters)
        {
            try
            {
                waiter._core.SetResult(answer ?? waiter.Heard);
            }
            catch (Exception error)
            {
                fault ??= ExceptionDispatchInfo.Capture(error);
            }
        }

        AnswerBunch.End();
        fault?.Throw();
    }

    /// <inheritdoc/>
    public Ack GetResult(short token)
    {
        Ack ack = _core.GetResult(token);
        _core.Reset();
        pool.Return(this);
        return ack;
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}

/// <summary>A node's waiters; as many as were ever waiting at once, some 100 bytes each.</summary>
internal sealed class AckWaiterPool
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<AckWaiter> _idle = new();

    /// <summary>A waiter that nobody else holds.</summary>
    internal AckWaiter Rent() => _idle.TryDequeue(out AckWaiter? waiter) ? waiter : new AckWaiter(this);

    /// <summary>Takes one back.</summary>
    internal void Return(AckWaiter waiter) => _idle.Enqueue(waiter);
}
