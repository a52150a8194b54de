// What a write key has used of its rate and its quota, and what metrics say of it.
using Estat.Base.Metrics;

namespace Estat.Base.Access;

/// <summary>What a key has done, by its name, from the process' start on.</summary>
internal sealed class WriteKeyUsage(SenderCounts counts)
{
    private readonly Lock _gate = new();
    private long _full;

    internal DailyQuota Quota { get; } = new();

    internal SenderCounts Counts { get; } = counts;

    internal long Take(EventRate rate, long now, int events)
    {
        lock (_gate)
        {
            return rate.Take(ref _full, now, events);
        }
    }
}

/// <summary>What metrics say of a key, or of all that have no label of their own.</summary>
/// <param name="label">The label.</param>
internal sealed class SenderCounts(string label)
{
    /// <summary>Reasons for which a key that is known is refused.</summary>
    internal static readonly KeyRefusal[] Reasons = [KeyRefusal.Disabled, KeyRefusal.Expired, KeyRefusal.Origin, KeyRefusal.Rate, KeyRefusal.Quota];

    private readonly StripedCounter[] _refused = [.. Reasons.Select(_ => new StripedCounter())];

    internal string Label { get; } = label;

    internal StripedCounter Events { get; } = new();

    internal void OnRefused(KeyRefusal reason) => _refused[Array.IndexOf(Reasons, reason)].Increment();

    internal long Refused(KeyRefusal reason) => _refused[Array.IndexOf(Reasons, reason)].Value;
}
