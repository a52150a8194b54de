// The one retry rule: exponential with full jitter above a half, bounded.
namespace Estat.Base.Storage;

/// <summary>Delays between attempts.</summary>
/// <param name="First">Delay after the first failure.</param>
/// <param name="Longest">Upper bound.</param>
internal sealed record Backoff(TimeSpan First, TimeSpan Longest)
{
    /// <summary>Between attempts of one upload: quick, as the batch waits in memory. Three attempts lie within some 0.5 s plus their
    /// timeouts.</summary>
    internal static Backoff Upload { get; } = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));

    /// <summary>
    /// Between attempts on one DLQ file. The bound is how long a file may sleep on after storage is back: a minute is a cheap price for 100,000
    /// files.
    /// </summary>
    internal static Backoff Dlq { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

    /// <summary>The delay after this many failures (1 or more): the doubled first one, bounded, times 0.5 to 1.</summary>
    internal TimeSpan After(int failures)
    {
        double full = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 30)));
        return TimeSpan.FromMilliseconds(full * (0.5 + (0.5 * Random.Shared.NextDouble())));
    }
}
