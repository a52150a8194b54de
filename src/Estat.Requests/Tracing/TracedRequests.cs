// Which requests are traced, from their HTTP request to their outcome.
using System.Diagnostics;
using Estat.Base.Memory;
using Estat.Base.Metrics;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Tracing;

/// <summary>
/// Keeps the span of the HTTP request that brought a request, if that was chosen to be traced: in memory, the last <paramref name="most"/> of them,
/// never in the store. So a request that is not traced costs one check, and after a restart the later spans of a traced one are missing. Any thread.
/// </summary>
/// <param name="most">Traced requests that are remembered.</param>
internal sealed class TracedRequests(int most = TracedRequests.Most) : IStoreObserver
{
    private const int Most = 10_000;
    private readonly RecentTable<RequestId, Traced> _recent = new(most);

    /// <summary>A request is about to be given to the store. Whoever decides it, decides it after this.</summary>
    internal void OnAccepting(Submission submission)
    {
        if (EstatActivities.IsOn && EstatActivities.CurrentRequest is { } span && !_recent.TryFind(submission.Id, out _))
        {
            _recent.Put(submission.Id, new Traced(submission.CampaignId, span));
        }
    }

    /// <summary>Requests that have become final get their span: from the acceptance, or from the last redrive.</summary>
    public void OnChanged(IReadOnlyList<RequestRecord> requests)
    {
        if (!EstatActivities.IsOn)
        {
            return;
        }

        foreach (RequestRecord request in requests)
        {
            if (request.State.IsFinal() && _recent.TryFind(request.Id, out Traced? traced))
            {
                Decided(request, traced);
            }
        }
    }

    /// <summary>A call of a webhook begins; the caller disposes of it when it has ended.</summary>
    /// <param name="campaign">The campaign.</param>
    /// <param name="attempt">What the endpoint is asked.</param>
    /// <returns>Null for a request that is not traced.</returns>
    internal Activity? Calling(Campaign campaign, Attempt attempt)
    {
        if (!EstatActivities.IsOn || !_recent.TryFind(attempt.Request.Id, out Traced? traced))
        {
            return null;
        }

        // The URL may hold a secret: its host alone is told.
        return EstatActivities.Source.StartActivity("estat.webhook", ActivityKind.Client, traced.Span)?
            .SetTag("http.request.method", "POST")
            .SetTag("server.address", campaign.Settings.Webhook!.Url.Host)
            .SetTag("estat.campaign", campaign.Id)
            .SetTag("estat.request_id", attempt.Request.Id.ToString())
            .SetTag("estat.generation", attempt.Request.Generation)
            .SetTag("estat.attempt", attempt.Number);
    }

    /// <summary>A call has ended.</summary>
    /// <param name="call">From <see cref="Calling"/>.</param>
    /// <param name="outcome">How, as the metrics name it.</param>
    /// <param name="failure">What went wrong; null if nothing did.</param>
    internal static void Called(Activity? call, string outcome, string? failure)
    {
        call?.SetTag("estat.outcome", outcome);
        if (failure is not null)
        {
            call?.SetStatus(ActivityStatusCode.Error, failure);
        }
    }

    /// <summary>An attempt to bring a batch of outcomes to the lake begins, in the trace that its object's key leads to.</summary>
    /// <param name="key">The object's key.</param>
    /// <param name="batch">What is stored; its first traced requests are linked to.</param>
    internal Activity? Uploading(string key, OutcomeBatch batch)
    {
        if (!EstatActivities.IsOn)
        {
            return null;
        }

        ActivityLink[] links =
        [
            .. batch.Outcomes.Select(outcome => _recent.TryFind(outcome.Id, out Traced? traced) ? traced : null).OfType<Traced>()
                .Take(EstatActivities.MostLinks).Select(traced => new ActivityLink(traced.Span)),
        ];
        return EstatActivities.Source.StartActivity("estat.outcomes", ActivityKind.Client, EstatActivities.TraceRoot(key), links: links)?
            .SetTag("estat.key", key)
            .SetTag("estat.outcomes", batch.Outcomes.Count);
    }

    private static void Decided(RequestRecord request, Traced traced)
    {
        long from = request.Generation == 1 ? request.Times.Received : request.Times.Queued;
        using Activity? activity = EstatActivities.Source.StartActivity(
            "estat.decision", ActivityKind.Internal, traced.Span, startTime: DateTimeOffset.FromUnixTimeMilliseconds(from));
        activity?.SetTag("estat.campaign", traced.Campaign)
            .SetTag("estat.request_id", request.Id.ToString())
            .SetTag("estat.sequence", request.Sequence)
            .SetTag("estat.generation", request.Generation)
            .SetTag("estat.state", request.State.ToText())
            .SetTag("estat.reason", request.Reason)
            .SetEndTime(DateTimeOffset.FromUnixTimeMilliseconds(request.Times.Final).UtcDateTime);
    }

    private sealed record Traced(string Campaign, ActivityContext Span);
}
