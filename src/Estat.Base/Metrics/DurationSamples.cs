// The last durations of something that happens often, for quantiles of the last seconds.
namespace Estat.Base.Metrics;

/// <summary>A ring of durations with their moments. Adding is one interlocked step and one store, from any thread; reading copies and
/// sorts.</summary>
/// <param name="capacity">Samples that are kept; a power of two.</param>
/// <param name="time">Clock.</param>
public sealed class DurationSamples(int capacity, TimeProvider time)
{
    private const long UnitsPerSecond = 1_000_000; // a duration is kept in microseconds, at most some 4,294 s
    private readonly long[] _ring = new long[capacity];
    private readonly long _start = time.GetTimestamp();
    private long _added;

    /// <summary>Adds a duration that ended now.</summary>
    public void Add(TimeSpan duration)
    {
        long slot = Interlocked.Increment(ref _added) - 1;
        ulong units = (ulong)Math.Clamp(duration.TotalSeconds * UnitsPerSecond, 0, uint.MaxValue);
        Volatile.Write(ref _ring[slot & (capacity - 1)], (long)(((ulong)NowInSeconds() << 32) | units));
    }

    /// <summary>Quantiles of what is kept and not older than this.</summary>
    /// <param name="age">Whole seconds.</param>
    public DurationQuantiles Read(TimeSpan age)
    {
        long kept = Math.Min(Interlocked.Read(ref _added), capacity);
        long oldest = (long)(NowInSeconds() - Math.Min(age.TotalSeconds, uint.MaxValue));
        var recent = new List<uint>((int)kept);
        for (int i = 0; i < kept; i++)
        {
            ulong sample = (ulong)Volatile.Read(ref _ring[i]);
            if (sample != 0 && (long)(sample >> 32) >= oldest)
            {
                recent.Add((uint)sample);
            }
        }

        if (recent.Count == 0)
        {
            return default;
        }

        recent.Sort();
        return new DurationQuantiles(At(recent, 0.5), At(recent, 0.99), recent.Count);
    }

    private static double At(List<uint> sorted, double quantile) =>
        sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(quantile * sorted.Count) - 1)] * 1000.0 / UnitsPerSecond;

    // From 1, so that a slot that was never written is none.
    private uint NowInSeconds() => 1 + (uint)time.GetElapsedTime(_start).TotalSeconds;
}

/// <summary>How long something took.</summary>
/// <param name="P50">Half of them took no longer, ms.</param>
/// <param name="P99">99 of 100 took no longer, ms.</param>
/// <param name="Samples">How many there are.</param>
public readonly record struct DurationQuantiles(double P50, double P99, int Samples);
