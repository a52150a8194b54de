// Spans of requests: around the router, and only where traces are sent somewhere.
using System.Diagnostics;
using Estat.Api.Http;
using Estat.Api.Options;
using Estat.Collect.Metrics;
using Estat.Http.Options;

namespace Estat.Api.Metrics;

/// <summary>
/// Traces the collecting requests that <see cref="TraceChoice"/> takes. It stands outside of the router, so that a node that traces nothing has
/// nothing in its place. While the request is handled its span is <see cref="Activity.Current"/>, by which its batch learns of it.
/// </summary>
internal sealed class RequestTraces
{
    private const string CollectingPath = "/collect";
    private readonly RequestDelegate _next;
    private readonly TraceChoice _choice;

    private RequestTraces(RequestDelegate next, TraceChoice choice)
    {
        _next = next;
        _choice = choice;
    }

    /// <summary>The delegate itself where requests are not traced.</summary>
    internal static RequestDelegate Around(RequestDelegate next, EstatOptions options, TimeProvider time) =>
        options.Node.OtlpEndpoint is null || options.Node.TracesSampler == TracesSampler.AlwaysOff ? next
        : new RequestTraces(next, new TraceChoice(options.Node.TracesSampler, options.Node.TracesSamplerRatio, time)).HandleAsync;

    private Task HandleAsync(HttpContext context) =>
        IsCollecting(context.Request) && _choice.Takes(context.Request.Headers, out ActivityContext parent) ? TraceAsync(context, parent)
            : _next(context);

    private static bool IsCollecting(HttpRequest request) =>
        request.Method != HttpMethods.Options && request.Path.Value is CollectingPath or "/collect.gif" or "/collect/batch";

    private async Task TraceAsync(HttpContext context, ActivityContext parent)
    {
        string method = context.Request.Method is "POST" or "GET" ? context.Request.Method : "HTTP";
        using Activity? activity = EstatActivities.Request($"{method} {context.Request.Path.Value}", parent);
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

        if (context.Response.Headers[Answers.KeyHeader] is { Count: 1 } keys && keys[0] is { Length: > 0 } key)
        {
            // The way on at a gateway, whose silo makes the batch: the batch's trace follows from its key.
            string first = key.Split(',', 2)[0];
            activity.SetTag("estat.ack", context.Response.Headers[Answers.AckHeader].ToString())
                .SetTag("estat.key", key)
                .SetTag("estat.batch_trace_id", EstatActivities.TraceOf(first).ToHexString());
        }
    }
}
