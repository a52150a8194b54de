// The instruments of Requests.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;
using Estat.Http.Access;
using Estat.Http.Metrics;
using Estat.Requests.Campaigns;
using Estat.Requests.Hosting;

namespace Estat.Requests.Metrics;

/// <summary>Everything is read when somebody asks: the store counts with each commit. Sums over campaigns, so that a scrape stays small.</summary>
internal sealed class RequestInstruments : IDisposable
{
    private readonly RequestsEngine _engine;
    private readonly TimeProvider _time;
    private long _accepted;

    /// <param name="engine">Where to read.</param>
    /// <param name="requests">The HTTP requests.</param>
    /// <param name="tokens">Who users are; null: a header says it.</param>
    /// <param name="time">The clock.</param>
    internal RequestInstruments(RequestsEngine engine, RequestCounters requests, Tokens? tokens, TimeProvider time)
    {
        _engine = engine;
        _time = time;
        Meter = new Meter(EstatActivities.SourceName);
        Meter.CreateObservableGauge(
            "estat_requests_current", Current,
            description: "Requests by state, over all campaigns, in one reading: their sum is estat_requests_accepted");
        Gauge("estat_requests_accepted", "Requests that were accepted, over all campaigns and restarts", () => Volatile.Read(ref _accepted));
        Gauge("estat_requests_campaigns", "Campaigns", () => engine.Store.Campaigns.Count);
        Gauge("estat_requests_queue_length", "Requests that wait to be written", () => engine.Store.QueueLength);
        Gauge("estat_requests_waiters", "HTTP requests that wait for a decision", () => engine.Waiters.Count);
        Gauge("estat_requests_outcomes_pending", "Outcomes that are not in the lake", () => engine.Store.PendingOutcomes.Count);
        Meter.CreateObservableGauge("estat_requests_outcomes_oldest_seconds", OldestOutcome, "s", "How long the oldest of them has waited");
        Meter.CreateObservableGauge("estat_requests_outcome_interval_seconds", () => engine.Outcomes.Interval.TotalSeconds, "s",
            "REQUESTS_OUTCOME_INTERVAL");
        Meter.CreateObservableCounter("estat_requests_outcomes_stored_total", () => engine.Outcomes.Stored,
            description: "Outcomes that this process has brought to the lake");
        Meter.CreateObservableCounter("estat_requests_outcome_conflicts_total", () => engine.Outcomes.Conflicts,
            description: "Objects of somebody else's that were met under the key of a batch of outcomes");
        Gauge("estat_requests_deciding", "Campaigns that this node decides", () => engine.Store.Deciding);
        Meter.CreateObservableCounter("estat_requests_store_attempts_total", StoreAttempts,
            description: "Attempts at DynamoDB, by outcome; none with SQLite");
        Gauge("estat_requests_failing", "1 while the database takes nothing", () => engine.Store.Fault is null ? 0 : 1);
        Meter.CreateObservableCounter(
            "estat_requests_http_total", () => requests.Outcomes(), description: "HTTP requests to users' paths, by outcome");
        Meter.CreateObservableCounter("estat_requests_webhook_calls_total", WebhookCalls, description: "Calls of webhooks, by how they ended");
        Meter.CreateObservableCounter("estat_requests_webhook_late_total", () => engine.Webhooks.Counters.Late.Value,
            description: "Results of webhooks that came after the lease and changed nothing");
        Gauge("estat_requests_webhook_calls_in_flight", "Calls of webhooks that have not ended", () => engine.Webhooks.Slots.Running);
        Gauge("estat_requests_webhook_breakers_open", "Campaigns whose webhook fails: only probes call it", () => engine.Webhooks.Slots.OpenBreakers);
        Gauge("estat_requests_tokens_known", "Users' tokens that are remembered as valid", () => tokens?.Known ?? 0);
        Gauge("estat_requests_token_keys_failing", "1 while the keys of users' tokens cannot be had", () => tokens?.AreKeysFailing == true ? 1 : 0);
        Gauge("estat_requests_http_in_flight", "HTTP requests to users' paths that are not answered", () => requests.InFlight);
    }

    /// <summary>The meter.</summary>
    internal Meter Meter { get; }

    public void Dispose() => Meter.Dispose();

    private IEnumerable<Measurement<long>> StoreAttempts() => _engine.Store.Attempts
        .Select(attempts => new Measurement<long>(attempts.Count, new KeyValuePair<string, object?>("outcome", attempts.Outcome)));

    // What was accepted is read with it: a gauge of its own reading would differ from the sum while requests arrive.
    private IEnumerable<Measurement<long>> Current()
    {
        Campaign[] campaigns = [.. _engine.Store.Campaigns];
        Volatile.Write(ref _accepted, campaigns.Sum(campaign => campaign.Counts.Accepted));
        return RequestStates.All.Select(state => new Measurement<long>(
            campaigns.Sum(campaign => campaign.Counts.In(state)), new KeyValuePair<string, object?>("state", state.ToText().ToLowerInvariant())));
    }

    private IEnumerable<Measurement<long>> WebhookCalls() => _engine.Webhooks.Counters.Calls.Select(
        calls => new Measurement<long>(calls.Count, new KeyValuePair<string, object?>("outcome", calls.Outcome)));

    private double OldestOutcome() =>
        _engine.Store.PendingOutcomes.Oldest is { } oldest ? Math.Max(0, (_time.GetUtcNow() - oldest).TotalSeconds) : 0;

    private void Gauge(string name, string description, Func<long> read) => Meter.CreateObservableGauge(name, read, description: description);
}
