// Work that can wait, where there is a fraction of a CPU.
namespace Estat.Base.Threading;

/// <summary>
/// A container with a quarter of a CPU may use 25 ms of every 100: 25 ms of work in one piece, and all requests stand still for the other 75. So work
/// that can wait rests after each millisecond, so long that it takes a fifth of what there is; what was held up by others rests the longer for it.
/// One piece of work on one thread.
/// </summary>
/// <param name="cpus">What there is: at most one CPU.</param>
/// <param name="time">Measures the work.</param>
/// <param name="rest">Waits that long, on this thread.</param>
internal sealed class CpuRests(double cpus, TimeProvider time, Action<TimeSpan> rest)
{
    private const double Share = 0.2;
    private static readonly TimeSpan Portion = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private static readonly double Quota = CpuQuota.Cpus();
    private readonly double _timesTheWork = (1 / (Share * cpus)) - 1;
    private long _restedAt = time.GetTimestamp();

    /// <summary>Does the work at once where there is more than one CPU, else with rests on a thread of its own: the pool has few there.</summary>
    /// <param name="work">Is given what to call after each of its steps.</param>
    /// <param name="time">Measures the work.</param>
    /// <param name="hurry">Ends the rests, not the work.</param>
    internal static Task<T> RunAsync<T>(Func<Action?, T> work, TimeProvider time, CancellationToken hurry)
    {
        if (Quota > 1)
        {
            return Task.FromResult(work(null));
        }

        var rests = new CpuRests(Quota, time, length => hurry.WaitHandle.WaitOne(length));
        return Task.Factory.StartNew(() => work(rests.Take), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Rests if a portion of work was done since the last time.</summary>
    internal void Take()
    {
        TimeSpan worked = time.GetElapsedTime(_restedAt);
        if (worked < Portion)
        {
            return;
        }

        TimeSpan length = worked * _timesTheWork;
        rest(length < Longest ? length : Longest);
        _restedAt = time.GetTimestamp();
    }
}
