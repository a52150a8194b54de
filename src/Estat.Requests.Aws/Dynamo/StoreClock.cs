// How far this node's clock is from the store's, by the Date of its answers.
namespace Estat.Requests.Aws.Dynamo;

/// <summary>
/// A Date header has whole seconds, so one answer says no more than that the store's clock was within a second. Many answers together are precise:
/// what all of them allow is what is known. Any thread.
/// </summary>
/// <param name="time">This node's clock.</param>
internal sealed class StoreClock(TimeProvider time)
{
    /// <summary>Beyond it a node is not ready: opening and closing go by clocks.</summary>
    internal static readonly TimeSpan Most = TimeSpan.FromSeconds(1);

    // Old answers say little about a clock that drifts or was set.
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private (long Since, Range Known) _now;
    private Range? _before;

    /// <summary>By how much this node's clock differs at least: 0 while nobody can tell that it does. Positive: it is behind.</summary>
    internal TimeSpan Difference
    {
        get
        {
            lock (_gate)
            {
                return (_before ?? _now.Known) is var known && known.Least > TimeSpan.Zero ? known.Least
                    : known.Most < TimeSpan.Zero ? known.Most : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Now, by this node's clock.</summary>
    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>An answer came.</summary>
    /// <param name="sent">When it was asked for, by this node's clock.</param>
    /// <param name="date">The answer's Date: cut to whole seconds.</param>
    internal void See(DateTimeOffset sent, DateTimeOffset date)
    {
        DateTimeOffset now = time.GetUtcNow();
        var seen = new Range(date - now, date + TimeSpan.FromSeconds(1) - sent);
        lock (_gate)
        {
            if (_now.Since == 0 || time.GetElapsedTime(_now.Since) > Window)
            {
                _before = _now.Since == 0 ? null : _now.Known;
                _now = (time.GetTimestamp(), seen);
                return;
            }

            // Two that contradict each other: one of the clocks was set meanwhile. The later one counts.
            var both = new Range(Max(_now.Known.Least, seen.Least), Min(_now.Known.Most, seen.Most));
            _now = (_now.Since, both.Least <= both.Most ? both : seen);
            _before = both.Least <= both.Most ? _before : null;
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private readonly record struct Range(TimeSpan Least, TimeSpan Most);
}

/// <summary>Shows the clock every answer.</summary>
/// <param name="inner">What sends.</param>
/// <param name="clock">The clock.</param>
internal sealed class ClockHandler(HttpMessageHandler inner, StoreClock clock) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        DateTimeOffset sent = clock.Now;
        HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (answer.Headers.Date is { } date)
        {
            clock.See(sent, date);
        }

        return answer;
    }
}
