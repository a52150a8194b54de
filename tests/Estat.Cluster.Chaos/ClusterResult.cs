// What a run came to, which of it breaks a promise, and the tables.

using System.Diagnostics;
using System.Globalization;
using Estat.Testing;

namespace Estat.Cluster.Chaos;

/// <summary>The counts of one run.</summary>
/// <param name="Plan">What the run was.</param>
/// <param name="Report">What was answered.</param>
/// <param name="Findings">What was found.</param>
/// <param name="Levels">The audit of each ack level in play.</param>
/// <param name="Troubles">What was done to the cluster.</param>
/// <param name="BrokenOff">What did not come to its end.</param>
/// <param name="LoadBegan">The first request's time.</param>
public sealed record ClusterResult(
    ClusterPlan Plan, SendReport Report, Findings Findings, IReadOnlyDictionary<string, LevelAudit> Levels, IReadOnlyList<Trouble> Troubles,
    IReadOnlyList<string> BrokenOff, long LoadBegan)
{
    private const int Shown = 10;
    // What a process compiles when its first requests come is no part of what a calm cluster does.
    internal static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    /// <summary>Everything that breaks a promise, a line each. Empty: all held.</summary>
    public IReadOnlyList<string> Complaints => [.. BrokenOff, .. Levels.SelectMany(level => Judge(level.Key, level.Value)), .. JudgeWhole()];

    /// <summary>Requests of which any part fell into a trouble.</summary>
    public Latencies InTrouble => Latencies.Of(Report.Times.Where(time => !IsCalm(time)));

    /// <summary>All others, but for the first seconds'.</summary>
    public Latencies InCalm => Latencies.Of(Report.Times.Where(time => IsCalm(time) && Stopwatch.GetElapsedTime(LoadBegan, time.Sent) >= WarmUp));

    /// <summary>The tables and the verdict.</summary>
    public IEnumerable<string> Lines()
    {
        yield return "";
        yield return $"{"",-43}{Latencies.Columns}   errors for   none taken";
        foreach (var trouble in Troubles)
        {
            var at = Stopwatch.GetElapsedTime(LoadBegan, trouble.Began);
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{at.TotalSeconds,6:0.0} s  {trouble.What,-32} {Latencies.Of(Within(trouble))} {ErrorsFor(trouble).TotalSeconds,10:0.00} s "
                + $"{Latencies.LongestGap(Within(trouble)).TotalSeconds,10:0.00} s");
        }

        yield return $"{"in trouble",-43}{InTrouble}";
        yield return $"{"calm",-43}{InCalm}";
        yield return $"{"overall",-43}{Latencies.Of(Report.Times)}";
        yield return "A trouble lasts until every node is up and every event has all its copies again. p99 due: counted from when the request was "
            + "due, with its wait for";
        yield return "a free connection. Errors for: from the trouble to the last answer that was no success. None taken: the longest time without "
            + "any success.";
        yield return "";
        yield return "ack level   acknowledged   found once     lost   duplicated   never acknowledged   refused but found";
        foreach (var (level, audit) in Levels)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{level,-9} {audit.Acknowledged,14} {audit.Numbers.FoundOnce,12} {audit.Numbers.Lost.Count,8} {audit.Numbers.Duplicated.Count,12} "
                + $"{audit.Numbers.NeverAcknowledged.Count,20} {audit.RefusedButFound.Count,19}");
        }

        yield return "";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{Report.Acknowledged.Count / Report.Elapsed.TotalSeconds:0} events/s acknowledged; {Findings.RawObjects} objects, "
                + $"{Findings.QuarantineObjects} quarantined, "
            + $"{Findings.DlqFiles} files in DLQs, {Findings.SpoolFiles} segments in spools");
        yield return $"events by status: {string.Join(", ", Report.StatusCounts.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}: {entry.Value}"))}, "
            + $"no answer: {Report.Times.Where(time => time.Status == 0).Sum(time => time.Events)}";
        var complaints = Complaints;
        yield return complaints.Count == 0 ? "Every promise held." : "FAILED:";
        foreach (var complaint in complaints)
        {
            yield return $"  {complaint}";
        }
    }

    /// <summary>How long after a trouble the last answer came that was no success, before the next trouble.</summary>
    public TimeSpan ErrorsFor(Trouble trouble)
    {
        ArgumentNullException.ThrowIfNull(trouble);
        var next = Troubles.Where(other => other.Began > trouble.Began).Select(other => other.Began).DefaultIfEmpty(long.MaxValue).Min();
        return Latencies.ErrorsFor(Report.Times.Where(time => time.Ended >= trouble.Began && time.Ended < next), trouble.Began);
    }

    private IEnumerable<RequestTime> Within(Trouble trouble) => Report.Times.Where(time => Overlaps(trouble, time));

    private bool IsCalm(RequestTime time) => !Troubles.Any(trouble => Overlaps(trouble, time));

    private static bool Overlaps(Trouble trouble, RequestTime time) => time.Ended >= trouble.Began && time.Sent < trouble.Ended;

    private IEnumerable<string> Judge(string level, LevelAudit audit)
    {
        if (audit.Numbers.Lost.Count > 0)
        {
            var spooled = audit.Numbers.Lost.Count(Findings.InSpool.Contains);
            yield return Tell("acknowledged and lost", audit.Numbers.Lost) + (spooled == 0 ? "" : $"; {spooled} of them still lie in a spool");
            foreach (var keys in audit.Numbers.Lost.GroupBy(number => Report.Levels[level].Acknowledged[number]).Take(Shown))
            {
                yield return $"  {keys.Count()} of them were acknowledged as being in {keys.Key}";
            }
        }

        if (audit.Numbers.Duplicated.Count > 0)
        {
            var number = audit.Numbers.Duplicated[0];
            yield return Tell("stored more than once", audit.Numbers.Duplicated)
                + $"; {number} in {string.Join(" and ", Findings.Events.Where(e => e.Number == number).Select(e => e.Key).Distinct())}";
        }

        if (audit.RefusedButFound.Count > 0)
        {
            yield return Tell("refused, and stored all the same", audit.RefusedButFound);
        }

        if (audit.Elsewhere.Count > 0)
        {
            var number = audit.Elsewhere[0];
            yield return Tell("stored in another object than the answer named", audit.Elsewhere)
                + $"; {number} was answered {Report.Levels[level].Acknowledged[number]} and lies in "
                    + $"{Findings.Events.First(e => e.Number == number).Key}";
        }

        if (audit.Weaker.Count > 0)
        {
            yield return Tell("answered 200 at less than what was asked for", audit.Weaker);
        }

        var quarantined = Findings.Events.Where(e => e.Place == FoundPlace.Quarantine).Select(e => e.Number)
            .Where(Report.Levels[level].Acknowledged.ContainsKey).ToList();
        if (quarantined.Count > 0)
        {
            yield return Tell("acknowledged and quarantined", quarantined);
        }

        string Tell(string what, IReadOnlyList<long> numbers) =>
            $"{level}: {numbers.Count} {what}: {string.Join(", ", numbers.Take(Shown))}{(numbers.Count > Shown ? ", …" : "")}";
    }

    private IEnumerable<string> JudgeWhole()
    {
        if (Findings.DlqFiles > 0)
        {
            yield return $"{Findings.DlqFiles} files are left in DLQs";
        }

        foreach (var (key, times) in Findings.WrittenAgain.Take(Shown))
        {
            yield return $"{key} was written {times} times";
        }

        if (Report.Acknowledged.Count == 0)
        {
            yield return $"nothing was acknowledged, so nothing was tested: {Report}";
        }

        foreach (var (status, count) in Report.StatusCounts.Where(entry => entry.Key is not (200 or 202 or 503)))
        {
            yield return $"{count} events were answered {status}";
        }
    }
}
