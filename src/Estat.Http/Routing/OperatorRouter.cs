// The paths for the operator: health and metrics. Every node has them, also one that takes no events over HTTP.
using Estat.Base.Metrics;
using Estat.Base.Threading;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Health;

namespace Estat.Http.Routing;

/// <summary>Answers what is no collecting path.</summary>
/// <param name="health">How the node is.</param>
/// <param name="scrape">Its metrics.</param>
/// <param name="paths">What it answers besides, for the words of a 404; empty if that is all.</param>
/// <param name="pages">What else it answers; those that are not open stand behind <paramref name="access"/>.</param>
/// <param name="access">Who may see them.</param>
/// <param name="logger">Where a page that failed is told.</param>
internal sealed partial class OperatorRouter(
    HealthEndpoints health, SharedScrape scrape, IEnumerable<string> paths, IReadOnlyList<Page> pages, AdminAccess access, ILogger logger)
{
    private static readonly Problem MetricsHang = Problem.Unavailable(
        "Reading the metrics hangs. The node still takes events. Report this with a dump of the process.");

    private readonly Page[] _guarded = [access.Session,
        .. pages.Select(page => page.IsOpen ? page : page with { Handle = access.Guard(page.Handle) })];
    private readonly Problem _notFound = Problem.Of(
        StatusCodes.Status404NotFound,
        "Nothing is at this path. Estat answers " + string.Concat(paths.Order(StringComparer.Ordinal).Select(path => $"{path}, "))
        + "/health, /health/ready, /health/sink, "
        + $"{string.Concat(pages.Select(page => $"{page.Path}, "))}and /metrics.");

    /// <summary>
    /// Handles a request. Writing metrics takes a millisecond, in which a thread that polls sockets would serve nobody. A page that fails ends here;
    /// a client that left or sends what is no HTTP ends in Kestrel, which knows both.
    /// </summary>
    internal async Task HandleAsync(HttpContext context)
    {
        await PoolThread.Switch();
        try
        {
            await AnswerAsync(context).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not BadHttpRequestException
            && !(context.RequestAborted.IsCancellationRequested && error is IOException or OperationCanceledException))
        {
            LogFailed(logger, error, context.Request.Method, context.Request.Path);
            await Problem.OurFault.WriteAsync(context).ConfigureAwait(false);
        }
    }

    private Page? FindPage(PathString path)
    {
        foreach (Page page in _guarded)
        {
            if (page.Takes(path))
            {
                return page;
            }
        }

        return null;
    }

    private Task AnswerAsync(HttpContext context)
    {
        BrowserHeaders.ApplyToAll(context);
        string method = context.Request.Method;
        switch (context.Request.Path.Value)
        {
            case "/health" or "/health/ready" or "/health/sink" or "/metrics" when method != HttpMethods.Get && method != HttpMethods.Head:
                return Problem.NotAllowedAsync(context, "GET, HEAD");
            case "/health":
                return health.LivenessAsync(context);
            case "/health/ready":
                return health.ReadinessAsync(context);
            case "/health/sink":
                return health.SinkAsync(context);
            case "/metrics":
                return MetricsAsync(context);
            default:
                return FindPage(context.Request.Path) is { } page ? page.Handle(context) : _notFound.WriteAsync(context);
        }
    }

    private async Task MetricsAsync(HttpContext context)
    {
        try
        {
            byte[] text = await scrape.NextAsync(context.RequestAborted).ConfigureAwait(false);
            await TextAnswer.WriteAsync(context, PrometheusText.ContentType, text).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await MetricsHang.WriteAsync(context).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, PathString path);
}
