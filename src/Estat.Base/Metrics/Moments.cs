// Moments as answers tell them.
namespace Estat.Base.Metrics;

/// <summary>UTC, to the millisecond: what JSON shows and people compare.</summary>
public static class Moments
{
    /// <summary>A moment without what is smaller than a millisecond.</summary>
    public static DateTime ToMilliseconds(DateTimeOffset moment) =>
        new(moment.UtcTicks - (moment.UtcTicks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);
}
