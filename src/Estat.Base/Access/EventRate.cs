// How many events a second: a token bucket in one number.
namespace Estat.Base.Access;

/// <summary>So many events a second on the long run, and so many at once.</summary>
/// <param name="perSecond">Events a second.</param>
/// <param name="burst">Events at once, at least 1.</param>
/// <param name="frequency">Timestamps a second.</param>
/// <param name="longestDebt">Seconds for which a batch larger than the burst can use up a bucket. By default thirty days, which is none that anybody
/// could pay off.</param>
internal sealed class EventRate(double perSecond, double burst, long frequency, double longestDebt = 30 * 86_400.0)
{
    private readonly double _each = frequency / perSecond;
    private readonly double _all = Math.Max(1, burst) * frequency / perSecond;
    private readonly double _longest = Math.Max(Math.Max(1, burst) * frequency / perSecond, longestDebt * frequency);

    /// <summary>The rate of a key; null when it has none.</summary>
    internal static EventRate? Of(WriteKey key, long frequency) =>
        key.Rate is { } rate ? new EventRate(rate, key.Burst ?? Math.Max(1, 2 * rate), frequency) : null;

    /// <summary>
    /// Takes events out of a bucket. More than <c>burst</c> at once, which a large batch may bring, need a full bucket and leave a debt: so the rate
    /// holds on the long run, and no batch is too large for ever.
    /// </summary>
    /// <param name="full">The bucket: when it is full again, as a timestamp. Changed only when they are taken.</param>
    /// <param name="now">Now, as a timestamp.</param>
    /// <param name="events">How many; 0 only looks whether there is room for one.</param>
    /// <returns>0 when they are taken; else after how long, in timestamps, they would be, if nobody else takes any.</returns>
    internal long Take(ref long full, long now, int events)
    {
        double empty = Math.Max(0, full - now);
        double lack = empty + (Math.Max(1, events) * _each > _all ? _all : Math.Max(1, events) * _each) - _all;
        if (lack > 0)
        {
            return Math.Max(1, (long)Math.Ceiling(lack));
        }

        if (events > 0)
        {
            full = now + (long)Math.Min(empty + (events * _each), _longest);
        }

        return 0;
    }
}
