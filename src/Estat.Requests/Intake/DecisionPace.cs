// How fast a campaign decides, for estimates.
using System.Collections.Concurrent;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Intake;

/// <summary>Looks at how far each campaign has come, once a second at most; what is in between is smoothed. Any thread.</summary>
/// <param name="time">The clock.</param>
internal sealed class DecisionPace(TimeProvider time)
{
    private const double Smoothing = 0.3;

    // A day. What stands still gets slower with each look, for ever: an estimate of years tells nobody anything.
    private const double Longest = 86_400;

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Seconds until a request of this position is decided; null when nobody can tell.</summary>
    internal double? SecondsFor(Campaign campaign, long position)
    {
        Seen seen = _seen.AddOrUpdate(campaign.Id, _ => new Seen(time.GetTimestamp(), campaign.Decided, null), (_, known) => Next(known, campaign));
        return !campaign.IsPaused && seen.PerSecond is > 0 and var pace && position / pace is var seconds && seconds <= Longest ? seconds : null;
    }

    private Seen Next(Seen known, Campaign campaign)
    {
        TimeSpan past = time.GetElapsedTime(known.At);
        if (past < Step)
        {
            return known;
        }

        double now = (campaign.Decided - known.Decided) / past.TotalSeconds;
        return new Seen(time.GetTimestamp(), campaign.Decided, known.PerSecond is { } before ? (Smoothing * now) + ((1 - Smoothing) * before) : now);
    }

    private sealed record Seen(long At, long Decided, double? PerSecond);
}
