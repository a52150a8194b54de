// Traced requests as they cross the wire.
using System.Diagnostics;
using Estat.Base.Metrics;

namespace Estat.Grains.Batching;

/// <summary>Trace contexts to <c>traceparent</c> (W3C Trace Context) and back. A trace state stays behind: a link does without.</summary>
internal static class WireTraces
{
    internal static string[]? ToWire(IReadOnlyList<ActivityContext>? requests) =>
        requests is null ? null
        : [.. requests.Select(request => $"00-{request.TraceId}-{request.SpanId}-{(byte)request.TraceFlags:x2}")];

    /// <summary>Those that can be read, as many as a batch's span links to; null when there are none, or nobody listens.</summary>
    internal static IReadOnlyList<ActivityContext>? ToContexts(string[]? traces)
    {
        if (traces is null || !EstatActivities.IsOn)
        {
            return null;
        }

        var requests = new List<ActivityContext>();
        foreach (string trace in traces.Take(EstatActivities.MostLinks))
        {
            if (ActivityContext.TryParse(trace, null, isRemote: true, out ActivityContext request))
            {
                requests.Add(request);
            }
        }

        return requests;
    }
}
