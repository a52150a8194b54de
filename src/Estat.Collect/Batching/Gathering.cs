// When what has gathered in a partition is worth a sync, and the wake-up of who syncs it.
namespace Estat.Collect.Batching;

/// <summary>
/// Who comes to an idle partition waits for nobody. A busy one syncs when about as many requests wait as went last time, or after
/// <see cref="Longest"/>: each sync costs some 100 µs of CPU time whatever it carries. All but <see cref="Sleep"/> and <see cref="Wake"/> is called
/// under the partition's lock.
/// </summary>
internal sealed class Gathering : IDisposable
{
    // Beyond this many requests a sync's cost is little for each.
    private const int MostWorthWaitingFor = 20;

    // The finest that a timed wait knows; it ends sooner as soon as the others are there.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(1);

    // Not a SemaphoreSlim, which spins before it sleeps: the cores have better to do.
    private readonly AutoResetEvent _wake = new(initialState: false);
    private int _waiting;
    private int _worth = 1;
    private bool _isUrgent;
    private bool _sleeps;

    /// <summary>Whether a sync is due.</summary>
    internal bool IsDue => _isUrgent || _waiting >= _worth;

    /// <summary>One more request waits.</summary>
    internal void Add() => _waiting++;

    /// <summary>Something cannot wait for others: a batch's end, the partition's end, or a chunk on which nobody waits.</summary>
    internal void Hurry() => _isUrgent = true;

    /// <summary>Everything that waited has been taken.</summary>
    internal void OnTaken()
    {
        _worth = Math.Clamp(_waiting + (_waiting / 4), 1, MostWorthWaitingFor);
        _waiting = 0;
        _isUrgent = false;
    }

    /// <summary>The writer is about to sleep.</summary>
    /// <returns>Whether nobody waits, so that it sleeps until somebody comes.</returns>
    internal bool BeginSleep()
    {
        bool isIdle = _waiting == 0;
        if (isIdle)
        {
            _worth = 1;
        }

        _sleeps = true;
        return isIdle;
    }

    /// <summary>Sleeps until woken, or as long as gathering may take.</summary>
    /// <returns>False when nobody woke it.</returns>
    internal bool Sleep(bool isIdle) => _wake.WaitOne(isIdle ? Timeout.InfiniteTimeSpan : Longest);

    /// <summary>The others do not come: whoever waits has waited long enough.</summary>
    internal void GiveUp() => _worth = 1;

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
        if (wake)
        {
            _wake.Set();
        }
    }

    public void Dispose() => _wake.Dispose();
}
