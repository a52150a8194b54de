// /health, /health/ready, /health/sink: for whoever restarts, routes to, or watches a node.
using Estat.Api.Http;

namespace Estat.Api.Health;

/// <summary>
/// Liveness says that the process answers; restart it when it does not. Readiness says that it takes events; route elsewhere when it does not. The
/// sink says that storage answers; wake somebody, but keep routing: events are kept on disk meanwhile.
/// </summary>
internal sealed class HealthEndpoints(INodeHealth health)
{
    private static readonly byte[] Ok = "ok\n"u8.ToArray();

    internal static Task LivenessAsync(HttpContext context) => OkAsync(context);

    internal Task ReadinessAsync(HttpContext context) =>
        health.NotReadyBecause is { } reason ? Problem.Unavailable($"Not ready: {reason}.").WriteAsync(context) : OkAsync(context);

    internal async Task SinkAsync(HttpContext context)
    {
        string? fault = await health.AskSinkAsync().ConfigureAwait(false);
        await (fault is null ? OkAsync(context) : Problem.Unavailable(fault).WriteAsync(context)).ConfigureAwait(false);
    }

    private static Task OkAsync(HttpContext context) => TextAnswer.WriteAsync(context, "text/plain; charset=utf-8", Ok);
}
