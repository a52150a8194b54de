// The spans that this process ends, in memory.
using System.Collections.Concurrent;
using System.Diagnostics;
using Estat.Base.Metrics;

namespace Estat.Requests.Tests.Tracing;

/// <summary>Other tests run beside: whoever asks names a trace.</summary>
internal sealed class Spans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    internal Spans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EstatActivities.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>What has ended of a trace, by its name.</summary>
    internal IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. _ended.Where(span => span.TraceId == trace)];

    /// <summary>What says that it is about a request.</summary>
    internal IReadOnlyList<Activity> About(RequestId request) =>
        [.. _ended.Where(span => (string?)span.GetTagItem("estat.request_id") == request.ToString())];

    /// <summary>What links to a trace.</summary>
    internal IReadOnlyList<Activity> LinkedTo(ActivityTraceId trace) =>
        [.. _ended.Where(span => span.Links.Any(link => link.Context.TraceId == trace))];

    public void Dispose() => _listener.Dispose();
}
