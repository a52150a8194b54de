// What a round came to, and which of it breaks a promise.

using System.Globalization;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>The counts of one round.</summary>
/// <param name="Plan">What the round was.</param>
/// <param name="Report">What was answered.</param>
/// <param name="Findings">What was found.</param>
/// <param name="Levels">The audit of each ack level in play.</param>
/// <param name="Troubles">What broke off, and readings of the counters that did not add up.</param>
/// <param name="Kills">SIGKILLs.</param>
/// <param name="Readings">How often the counters were read.</param>
/// <param name="MemoryMayLose">Something happened that <c>memory</c> promises nothing about.</param>
/// <param name="DiskFailed">The disk was full at some time; the server may have said that it failed.</param>
/// <param name="DiskWasLost">Only what was acknowledged as stored is owed.</param>
/// <param name="Settled">From the end of all trouble until everything was stored and the server had ended.</param>
/// <param name="Elapsed">The whole round.</param>
internal sealed record RoundResult(
    RoundPlan Plan, SendReport Report, Findings Findings, IReadOnlyDictionary<string, LevelAudit> Levels, IReadOnlyList<string> Troubles, int Kills,
    int Readings, bool MemoryMayLose, bool DiskFailed, bool DiskWasLost, TimeSpan Settled, TimeSpan Elapsed)
{
    private const int Shown = 10;

    /// <summary>Everything that breaks a promise, a line each. Empty: the round went well.</summary>
    internal IReadOnlyList<string> Complaints => [.. Troubles, .. Levels.SelectMany(level => Judge(level.Key, level.Value)), .. JudgeWhole()];

    /// <summary>One line.</summary>
    internal string Line
    {
        get
        {
            var sum = Levels.Values.ToList();
            var unsettled = Findings.QuarantineObjects == 0 ? "" : $", {Findings.QuarantineObjects} quarantined";
            unsettled += Findings.SpoolFiles == 0 ? "" : $", {Findings.SpoolFiles} segments left";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{Plan.Number,4}  {Plan.Scenario.Name,-16} {Plan.Level,-6} {Elapsed.TotalSeconds,5:0.0} s {Kills,3} kills  "
                + $"{sum.Sum(l => l.Acknowledged),6} acknowledged {sum.Sum(l => l.Numbers.FoundOnce),6} once {sum.Sum(l => l.Numbers.Lost.Count),5} "
                    + $"lost "
                + $"{sum.Sum(l => l.Numbers.Duplicated.Count),4} double {sum.Sum(l => l.Numbers.NeverAcknowledged.Count),4} never acknowledged  "
                + $"{Findings.RawObjects,4} objects{unsettled}  {(Complaints.Count == 0 ? "ok" : "FAILED")}");
        }
    }

    /// <summary>Whether the level may have lost events in this round.</summary>
    internal bool MayLose(string level) => level switch
    {
        AckNames.Stored => false,
        AckNames.Memory => MemoryMayLose,
        _ => DiskWasLost,
    };

    private IEnumerable<string> Judge(string level, LevelAudit audit)
    {
        if (audit.Numbers.Lost.Count > 0 && !MayLose(level))
        {
            var spooled = audit.Numbers.Lost.Count(Findings.InSpool.Contains);
            yield return Tell("acknowledged and lost", audit.Numbers.Lost) + (spooled == 0 ? "" : $"; {spooled} of them still lie in the spool");
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
            yield return Tell("stored in another object than the answer named", audit.Elsewhere);
        }

        if (audit.Weaker.Count > 0)
        {
            yield return Tell("answered 200 at less than what was asked for", audit.Weaker);
        }

        // Nothing here damages a file: what was acknowledged stays readable.
        var quarantined = Findings.Events.Where(e => e.Place == FoundPlace.Quarantine).Select(e => e.Number)
            .Where(number => Report.Levels[level].Acknowledged.ContainsKey(number)).ToList();
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
            yield return $"{Findings.DlqFiles} files are left in the DLQ";
        }

        foreach (var (key, times) in Findings.WrittenAgain.Take(Shown))
        {
            yield return $"{key} was written {times} times";
        }

        if (Findings.SpoolFiles > 0)
        {
            yield return $"{Findings.SpoolFiles} segments are left in the spool";
        }

        if (Report.DiskFailures > 0 && !DiskFailed)
        {
            yield return $"{Report.DiskFailures} events were answered that the disk failed, and it did not";
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
