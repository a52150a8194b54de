// Spans of requests: around the router, and only where traces are sent somewhere.
using System.Diagnostics;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Http.Intake;
using Estat.Http.Options;

namespace Estat.Http.Tracing;

/// <summary>
/// Traces the requests to a capability's paths that <see cref="TraceChoice"/> takes. It stands outside of the router, so that a node that traces
/// nothing has nothing in its place. While the request is handled its span is <see cref="Activity.Current"/>, by which its batch learns of it.
/// </summary>
internal sealed class RequestTraces
{
    private readonly RequestDelegate _next;
    private readonly IReadOnlySet<string> _paths;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _trees;
    private readonly TraceChoice _choice;

    private RequestTraces(RequestDelegate next, IReadOnlySet<string> paths, IEnumerable<string> trees, TraceChoice choice)
    {
        _next = next;
        _paths = paths;
        _trees = trees.ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _choice = choice;
    }

    /// <summary>The delegate itself where requests are not traced.</summary>
    /// <param name="next">Handles all requests.</param>
    /// <param name="options">Whether traces are sent, and which.</param>
    /// <param name="paths">The paths whose requests may be traced.</param>
    /// <param name="time">The clock of the choice.</param>
    /// <param name="trees">First segments, such as <c>/campaigns</c>: requests to the paths below them may be traced too. A capability names their
    /// spans.</param>
    internal static RequestDelegate Around(
        RequestDelegate next, NodeOptions options, IReadOnlySet<string> paths, TimeProvider time, IEnumerable<string>? trees = null) =>
        options.OtlpEndpoint is null || options.TracesSampler == TracesSampler.AlwaysOff ? next
        : new RequestTraces(next, paths, trees ?? [], new TraceChoice(options.TracesSampler, options.TracesSamplerRatio, time)).HandleAsync;

    private Task HandleAsync(HttpContext context) =>
        IsChosenFrom(context.Request) && _choice.Takes(new HttpRequestView(context), out ActivityContext parent) ? TraceAsync(context, parent)
            : _next(context);

    private bool IsChosenFrom(HttpRequest request) =>
        request.Method != HttpMethods.Options && request.Path.Value is { } path && (_paths.Contains(path) || TreeOf(path) is not null);

    private string? TreeOf(string path)
    {
        int end = path.Length > 1 ? path.IndexOf('/', 1) : -1;
        return end > 0 && _trees.TryGetValue(path.AsSpan(0, end), out string? tree) ? tree : null;
    }

    private async Task TraceAsync(HttpContext context, ActivityContext parent)
    {
        string method = context.Request.Method is "POST" or "GET" ? context.Request.Method : "HTTP";
        string path = context.Request.Path.Value!;
        using Activity? activity = EstatActivities.Request($"{method} {TreeOf(path) ?? path}", parent);
        await _next(context).ConfigureAwait(false);
        if (activity is null)
        {
            return;
        }

        int status = context.Response.StatusCode;
        activity.SetTag("http.request.method", context.Request.Method)
            .SetTag("url.path", context.Request.Path.Value)
            .SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }

        if (context.Response.Headers[AckHeaders.Key] is { Count: 1 } keys && keys[0] is { Length: > 0 } key)
        {
            // The way on at a gateway, whose silo makes the batch: the batch's trace follows from its key.
            string first = key.Split(',', 2)[0];
            activity.SetTag("estat.ack", context.Response.Headers[AckHeaders.Ack].ToString())
                .SetTag("estat.key", key)
                .SetTag("estat.batch_trace_id", EstatActivities.TraceOf(first).ToHexString());
        }
    }
}
