// What clients felt in a window of time.

using System.Diagnostics;
using System.Globalization;
using Estat.Testing;

namespace Estat.Cluster.Chaos;

/// <summary>Sums over requests.</summary>
/// <param name="Requests">How many.</param>
/// <param name="Refused">How many were answered 503.</param>
/// <param name="Unanswered">How many got no answer.</param>
/// <param name="P50">Half of the answers took at most so long.</param>
/// <param name="P99">99 of 100 did.</param>
/// <param name="Longest">All did.</param>
/// <param name="P99FromDue">The same as <paramref name="P99"/>, counted from when the request was due: with the time that it waited for a free
/// connection.</param>
public sealed record Latencies(int Requests, int Refused, int Unanswered, TimeSpan P50, TimeSpan P99, TimeSpan Longest, TimeSpan P99FromDue)
{
    private const int Unavailable = 503;

    /// <summary>The heading of <see cref="ToString"/>'s columns.</summary>
    public const string Columns = "requests     503  no answer   p50 ms   p99 ms  p99 due   max ms";

    /// <summary>Of these requests.</summary>
    public static Latencies Of(IEnumerable<RequestTime> requests)
    {
        var times = requests.ToList();
        var took = times.Select(time => time.Took).Order().ToList();
        var fromDue = times.Select(time => time.Took + time.Late).Order().ToList();
        return new Latencies(
            times.Count, times.Count(time => time.Status == Unavailable), times.Count(time => time.Status == 0), At(took, 0.5), At(took, 0.99),
            At(took, 1), At(fromDue, 0.99));
    }

    /// <summary>How long after <paramref name="from"/> the last of these requests ended that was no success; zero if all were.</summary>
    public static TimeSpan ErrorsFor(IEnumerable<RequestTime> requests, long from) =>
        requests.Where(time => !Succeeded(time)).Select(time => Stopwatch.GetElapsedTime(from, time.Ended)).DefaultIfEmpty().Max();

    /// <summary>The longest time, among these requests, in which none succeeded.</summary>
    public static TimeSpan LongestGap(IEnumerable<RequestTime> requests)
    {
        var successes = requests.Where(Succeeded).Select(time => time.Ended).Order().ToList();
        return successes.Zip(successes.Skip(1), (first, next) => Stopwatch.GetElapsedTime(first, next)).DefaultIfEmpty().Max();
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Requests,8} {Refused,7} {Unanswered,10} {P50.TotalMilliseconds,8:0.0} {P99.TotalMilliseconds,8:0.0} {P99FromDue.TotalMilliseconds,8:0.0} "
            + $"{Longest.TotalMilliseconds,8:0}");

    private static bool Succeeded(RequestTime time) => time.Status is 200 or 202;

    private static TimeSpan At(List<TimeSpan> ordered, double share) =>
        ordered.Count == 0 ? TimeSpan.Zero : ordered[Math.Min(ordered.Count - 1, (int)(ordered.Count * share))];
}
