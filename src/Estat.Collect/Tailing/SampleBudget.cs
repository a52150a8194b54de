// So many a second, whoever asks.
namespace Estat.Collect.Tailing;

/// <summary>
/// A leaky bucket in one field: the moment from which the next one may be taken, which lags behind the clock by the burst at the most. Safe for
/// concurrent use; of those who race, one gets it and the others do without.
/// </summary>
/// <param name="perSecond">How many a second.</param>
/// <param name="burst">How many at once after a pause.</param>
/// <param name="time">Clock.</param>
internal sealed class SampleBudget(int perSecond, int burst, TimeProvider time)
{
    private readonly long _step = time.TimestampFrequency / perSecond;
    private readonly long _lag = time.TimestampFrequency / perSecond * (burst - 1);
    private long _next = time.GetTimestamp() - (time.TimestampFrequency / perSecond * (burst - 1));

    /// <summary>Whether one more may be taken now.</summary>
    internal bool TryTake()
    {
        long now = time.GetTimestamp();
        long next = Volatile.Read(ref _next);
        return now >= next && Interlocked.CompareExchange(ref _next, Math.Max(next, now - _lag) + _step, next) == next;
    }
}
