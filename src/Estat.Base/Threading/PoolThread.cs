// Leaves threads on which nothing slow may run.
using System.Runtime.CompilerServices;

namespace Estat.Base.Threading;

/// <summary>
/// <c>await PoolThread.Switch()</c> goes on on a thread of the pool; at once, if it is there already. Threads that wait for sockets
/// (<c>SOCKETS=inline</c>) and those that sync have others to serve: what computes for long or touches the disk leaves them first.
/// </summary>
public readonly struct PoolThread : ICriticalNotifyCompletion
{
    /// <summary>What to await.</summary>
    public static PoolThread Switch() => default;

    /// <summary>Whether this is a thread of the pool.</summary>
    public bool IsCompleted => Thread.CurrentThread.IsThreadPoolThread;

    /// <summary>Itself.</summary>
    public PoolThread GetAwaiter() => this;

    /// <summary>Nothing to get.</summary>
    public void GetResult()
    {
    }

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static action => action(), continuation, preferLocal: false);

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
