// Reads a node's state, and compares it with the reading before.
using Estat.Base.Metrics;
using Estat.Collect.Conservation;
using Estat.Collect.Hosting;
using Estat.Collect.Metrics;
using Estat.Http.Administration;
using Estat.Http.Metrics;

namespace Estat.Collect.Administration;

/// <summary>
/// Rates need two readings: the first of a series waits a moment for its second. One user at a time (<see cref="SharedReading{T}"/>).
/// </summary>
/// <param name="facts">Who the node is.</param>
/// <param name="requests">Counters of its HTTP.</param>
/// <param name="instruments">Where acks are timed.</param>
/// <param name="acceptedRequests">Requests whose events were taken.</param>
/// <param name="notReadyBecause">Why it takes no events; null when it does.</param>
/// <param name="engine">What keeps its events; null at a gateway.</param>
/// <param name="time">Clock.</param>
public sealed class StateSampler(
    NodeFacts facts, RequestCounters requests, EstatInstruments instruments, Func<long> acceptedRequests, Func<string?> notReadyBecause,
    Engine? engine, TimeProvider time)
{
    private static readonly TimeSpan AcksOf = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstStep = TimeSpan.FromMilliseconds(250);

    // A reading that is older than this belongs to watchers who left.
    private static readonly TimeSpan OldestBefore = TimeSpan.FromSeconds(3);

    private Totals? _before;

    /// <summary>Reads the state.</summary>
    public async ValueTask<NodeState> ReadAsync()
    {
        if (_before is null || time.GetElapsedTime(_before.Taken) > OldestBefore)
        {
            _before = Take();
            await Task.Delay(FirstStep, time).ConfigureAwait(false);
        }

        Totals now = Take();
        NodeState state = StateOf(now, _before);
        _before = now;
        return state;
    }

    private Totals Take() => new(
        time.GetTimestamp(), engine?.Ledger.Read(), requests.Started.Value, acceptedRequests(), Rejected(), Environment.CpuUsage.TotalTime);

    private NodeState StateOf(Totals now, Totals before)
    {
        double seconds = Math.Max(time.GetElapsedTime(before.Taken, now.Taken).TotalSeconds, 0.001);
        double PerSecond(long current, long previous) => Math.Round((current - previous) / seconds, 1);
        DurationQuantiles acks = instruments.Acks.Read(AcksOf);
        string? notReady = notReadyBecause();
        return new NodeState(
            new NodeSummary(
                facts.Name, facts.Role, facts.Instance, facts.Version, facts.Started, notReady is null, notReady, facts.Ack, facts.Levels,
                facts.Storage,
                facts.RawPrefix, facts.DlqPrefix, facts.FlushIntervalS, facts.KeysConfigured),
            Moments.ToMilliseconds(time.GetUtcNow()),
            now.Events is { } at ? new EventPlaces(at.Accepted, at.Found, at.Stored, at.Buffered, at.Spooled, at.Dlq, at.Quarantined, at.Dropped)
                : null,
            new EventRates(
                PerSecond(now.Events?.Accepted ?? now.AcceptedRequests, before.Events?.Accepted ?? before.AcceptedRequests),
                PerSecond(now.Events?.Stored ?? 0, before.Events?.Stored ?? 0), PerSecond(now.Requests, before.Requests),
                PerSecond(now.Rejected.Sum, before.Rejected.Sum)),
            new AckTimes(acks.P50, acks.P99, acks.Samples),
            engine is null ? null : Math.Round(engine.OldestUnflushed.TotalSeconds, 1),
            engine is null ? null
                : new BatchState(engine.UploadQueueDepth, instruments.BatchesSealed, instruments.Uploads.Read(TimeSpan.MaxValue).P50),
            engine is null ? null : new SpoolState(engine.SpoolBytes, engine.SpoolWaiting, engine.SpoolFails),
            engine is null ? null : new DlqState(engine.DlqFiles, engine.DlqBytes, engine.DlqMaxBytes),
            engine is null ? null : new StorageState(engine.StorageFails, engine.StorageFault),
            new RequestTotals(now.Requests, now.AcceptedRequests, now.Rejected, requests.Aborted.Value),
            new ProcessState(
                Math.Round((now.Cpu - before.Cpu).TotalSeconds / seconds * 100, 1), Environment.WorkingSet,
                GC.GetTotalMemory(forceFullCollection: false)));
    }

    private RejectedTotals Rejected() => new(
        requests.TooLarge.Value, requests.QueueFull.Value, requests.Unauthorized.Value, requests.RateLimited.Value,
        requests.StorageFull.Value + requests.NoPrefix.Value, requests.DiskFailed.Value,
        requests.Draining.Value, requests.NoReplica.Value, requests.NoSilo.Value, requests.Unknown.Value,
        requests.Invalid.Value + requests.Forbidden.Value);

    // What rates are made of.
    private sealed record Totals(long Taken, Balance? Events, long Requests, long AcceptedRequests, RejectedTotals Rejected, TimeSpan Cpu);
}
