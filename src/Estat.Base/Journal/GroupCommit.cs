// Group commit: when what has gathered is worth a sync, and the wake-up of who syncs it.
namespace Estat.Base.Journal;

/// <summary>What gathers, under one lock.</summary>
/// <typeparam name="T">What is synced.</typeparam>
internal interface IGathered<T>
{
    /// <summary>Held for every change of what gathers.</summary>
    Lock Gate { get; }

    /// <summary>Whether nothing will come any more. The gate is held.</summary>
    bool IsClosed { get; }

    /// <summary>Takes what is there. The gate is held.</summary>
    void TakeAll(List<T> group);
}

/// <summary>
/// One sync serves all that wait. Who comes to an idle journal waits for nobody. A busy one syncs when about as many wait as went last time, or after
/// <see cref="Longest"/>: each sync costs some 100 µs of CPU time whatever it carries. All but <see cref="WaitForGroup"/> and <see cref="Wake"/> is
/// called under the lock of what gathers.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    // Beyond this many a sync's cost is little for each.
    private const int MostWorthWaitingFor = 20;

    // The finest that a timed wait knows; it ends sooner as soon as the others are there.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(1);

    // Not a SemaphoreSlim, which spins before it sleeps: the cores have better to do.
    private readonly AutoResetEvent _wake = new(initialState: false);
    private int _waiting;
    private int _worth = 1;
    private bool _isUrgent;
    private bool _sleeps;

    private bool IsDue => _isUrgent || _waiting >= _worth;

    /// <summary>One more waits.</summary>
    internal void Add() => _waiting++;

    /// <summary>Something cannot wait for others: the end of what gathers, or something that nobody waits for.</summary>
    internal void Hurry() => _isUrgent = true;

    /// <summary>Waits until a sync is due, and takes what has gathered. For the one thread that syncs.</summary>
    /// <param name="gathered">What gathers.</param>
    /// <param name="group">Gets it.</param>
    /// <returns>False once nothing is left and nothing will come.</returns>
    internal bool WaitForGroup<T>(IGathered<T> gathered, List<T> group)
    {
        while (true)
        {
            bool isIdle;
            lock (gathered.Gate)
            {
                if (IsDue || gathered.IsClosed)
                {
                    OnTaken();
                    gathered.TakeAll(group);
                    if (group.Count > 0 || gathered.IsClosed)
                    {
                        return group.Count > 0;
                    }
                }

                isIdle = BeginSleep();
            }

            if (!_wake.WaitOne(isIdle ? Timeout.InfiniteTimeSpan : Longest))
            {
                lock (gathered.Gate)
                {
                    _worth = 1; // the others do not come: who waits has waited long enough
                }
            }
        }
    }

    /// <summary>Whether the writer has to be woken; true once for all that comes while it is on its way.</summary>
    internal bool TakeWake()
    {
        bool wake = _sleeps && IsDue;
        _sleeps &= !wake;
        return wake;
    }

    /// <summary>Wakes the writer; outside of the lock, which it needs at once.</summary>
    internal void Wake(bool wake)
    {
        try
        {
            if (wake)
            {
                _wake.Set();
            }
        }
        catch (ObjectDisposedException)
        {
            // What it came for was taken meanwhile, and the writer has ended.
        }
    }

    public void Dispose() => _wake.Dispose();

    private void OnTaken()
    {
        _worth = Math.Clamp(_waiting + (_waiting / 4), 1, MostWorthWaitingFor);
        _waiting = 0;
        _isUrgent = false;
    }

    // While nobody waits, until somebody comes.
    private bool BeginSleep()
    {
        bool isIdle = _waiting == 0;
        if (isIdle)
        {
            _worth = 1;
        }

        _sleeps = true;
        return isIdle;
    }
}
