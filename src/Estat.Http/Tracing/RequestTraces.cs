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
    private readonly IReadOnlySet<string> _paths;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _trees;
    private readonly TraceChoice _choice;

    private RequestTraces(IReadOnlySet<string> paths, IEnumerable<string> trees, TraceChoice choice)
    {
        _paths = paths;
        _trees = trees.ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _choice = choice;
    }

    /// <summary>Null where requests are not traced.</summary>
    /// <param name="options">Whether traces are sent, and which.</param>
    /// <param name="paths">The paths whose requests may be traced.</param>
    /// <param name="time">The clock of the choice.</param>
    /// <param name="trees">First segments, such as <c>/campaigns</c>: requests to the paths below them may be traced too. A capability names their
    /// spans.</param>
    internal static RequestTraces? Of(
        NodeOptions options, IReadOnlySet<string> paths, TimeProvider time, IEnumerable<string>? trees = null) =>
        options.OtlpEndpoint is null || options.TracesSampler == TracesSampler.AlwaysOff ? null
        : new RequestTraces(paths, trees ?? [], new TraceChoice(options.TracesSampler, options.TracesSamplerRatio, time));

    /// <summary>Traces what Kestrel hands on.</summary>
    /// <param name="next">Handles all requests.</param>
    internal RequestDelegate Around(RequestDelegate next) => context =>
        IsChosenFrom(context.Request) && _choice.Takes(new HttpRequestView(context), out ActivityContext parent) ? TraceAsync(context, next, parent)
            : next(context);

    /// <summary>Begins the span of a request to one of the paths, if it is chosen; it is then <see cref="Activity.Current"/>, which its door takes
    /// back before it goes on to the next request.</summary>
    /// <returns>To be ended by <see cref="End"/>; null for a request that is not traced.</returns>
    internal Activity? Begin<TRequest>(TRequest request, string method, string path)
        where TRequest : struct, IRequestView =>
        _paths.Contains(path) && _choice.Takes(request, out ActivityContext parent) ? Begin(method, path, path, parent) : null;

    /// <summary>Ends a request's span: it was answered.</summary>
    /// <param name="span">The span.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="level"><c>X-Estat-Ack</c>; empty without.</param>
    /// <param name="keys"><c>X-Estat-Key</c>; empty without.</param>
    internal static void End(Activity span, int status, string level, string keys)
    {
        span.SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        if (keys.Length > 0)
        {
            // The way on at a gateway, whose silo makes the batch: the batch's trace follows from its key.
            string first = keys.Split(',', 2)[0];
            span.SetTag("estat.ack", level)
                .SetTag("estat.key", keys)
                .SetTag("estat.batch_trace_id", EstatActivities.TraceOf(first).ToHexString());
        }

        span.Dispose();
    }

    private bool IsChosenFrom(HttpRequest request) =>
        request.Method != HttpMethods.Options && request.Path.Value is { } path && (_paths.Contains(path) || TreeOf(path) is not null);

    private string? TreeOf(string path)
    {
        int end = path.Length > 1 ? path.IndexOf('/', 1) : -1;
        return end > 0 && _trees.TryGetValue(path.AsSpan(0, end), out string? tree) ? tree : null;
    }

    private async Task TraceAsync(HttpContext context, RequestDelegate next, ActivityContext parent)
    {
        string path = context.Request.Path.Value!;
        using Activity? span = Begin(context.Request.Method, path, TreeOf(path) ?? path, parent);
        await next(context).ConfigureAwait(false);
        if (span is not null)
        {
            IHeaderDictionary headers = context.Response.Headers;
            string keys = headers[AckHeaders.Key] is { Count: 1 } values ? values.ToString() : "";
            End(span, context.Response.StatusCode, headers[AckHeaders.Ack].ToString(), keys);
        }
    }

    private static Activity? Begin(string method, string path, string name, ActivityContext parent) =>
        EstatActivities.Request($"{(method is "POST" or "GET" ? method : "HTTP")} {name}", parent)?
            .SetTag("http.request.method", method)
            .SetTag("url.path", path);
}
