// What happened to requests, counted where it happens; the instruments read it when somebody asks.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;

namespace Estat.Http.Metrics;

/// <summary>Counters of the HTTP path. Every request to a collecting endpoint adds to <see cref="Started"/> and, at its end, to
/// <see cref="Ended"/>.</summary>
public sealed class RequestCounters
{
    /// <summary>Requests that arrived at a collecting endpoint.</summary>
    public StripedCounter Started { get; } = new();

    /// <summary>Requests that were answered or whose client went away.</summary>
    public StripedCounter Ended { get; } = new();

    /// <summary>Answered 413.</summary>
    public StripedCounter TooLarge { get; } = new();

    /// <summary>Answered 503 because the queue was full.</summary>
    public StripedCounter QueueFull { get; } = new();

    /// <summary>Answered 503 because spool, DLQ or their disk was full.</summary>
    public StripedCounter StorageFull { get; } = new();

    /// <summary>Answered 503 because the spool's disk refused a write or a sync.</summary>
    public StripedCounter DiskFailed { get; } = new();

    /// <summary>Answered 503 because the node was draining.</summary>
    public StripedCounter Draining { get; } = new();

    /// <summary>Answered 503 because no other silo held a copy.</summary>
    public StripedCounter NoReplica { get; } = new();

    /// <summary>Answered 503 by a gateway because no silo could be reached.</summary>
    public StripedCounter NoSilo { get; } = new();

    /// <summary>Answered 503 by a gateway because a silo failed in the call.</summary>
    public StripedCounter Unknown { get; } = new();

    /// <summary>Answered 503 because there was no partition left for its write key's prefix.</summary>
    public StripedCounter NoPrefix { get; } = new();

    /// <summary>Answered 401: no write key, or none that holds.</summary>
    public StripedCounter Unauthorized { get; } = new();

    /// <summary>Answered 503: the keys of users' tokens could not be fetched.</summary>
    public StripedCounter NoTokenKeys { get; } = new();

    /// <summary>Answered 403: a write key that does not hold for the page's origin.</summary>
    public StripedCounter Forbidden { get; } = new();

    /// <summary>Answered 429: over a rate or a quota.</summary>
    public StripedCounter RateLimited { get; } = new();

    /// <summary>Answered another 4xx: what was sent was wrong.</summary>
    public StripedCounter Invalid { get; } = new();

    /// <summary>The client went away or was too slow before its body was whole.</summary>
    public StripedCounter Aborted { get; } = new();

    /// <summary>Events of a batch that were rejected by index while the others were taken.</summary>
    public StripedCounter EventsRejected { get; } = new();

    /// <summary>Requests that have ended, by <c>outcome</c>: refused for a reason, or <c>answered</c>.</summary>
    /// <param name="more">Reasons that not every capability has, by name.</param>
    public IEnumerable<Measurement<long>> Outcomes(params IReadOnlyList<(string Name, StripedCounter Counter)> more)
    {
        IReadOnlyList<(string Name, StripedCounter Counter)> refusals =
        [
            ("invalid", Invalid), ("too_large", TooLarge), ("unauthorized", Unauthorized), ("rate_limited", RateLimited),
            ("queue_full", QueueFull), ("storage_full", StorageFull), ("disk_failed", DiskFailed), ("draining", Draining), ("unknown", Unknown),
            ("aborted", Aborted), ("no_token_keys", NoTokenKeys), .. more,
        ];
        long ended = Ended.Value;
        long refused = 0;
        foreach ((string name, StripedCounter counter) in refusals)
        {
            long count = counter.Value;
            refused += count;
            yield return new Measurement<long>(count, new KeyValuePair<string, object?>("outcome", name));
        }

        yield return new Measurement<long>(Math.Max(0, ended - refused), new KeyValuePair<string, object?>("outcome", "answered"));
    }

    /// <summary>Requests that have arrived and not ended; those that come while it is read may count, none that is being handled is missed.</summary>
    public long InFlight
    {
        get
        {
            long ended = Ended.Value; // first: the other way round, a request that came and went in between would hide one that is still here
            return Math.Max(0, Started.Value - ended);
        }
    }
}
