// /health, /health/ready, /health/sink: for whoever restarts, routes to, or watches a node.
using Estat.Http.Access;
using Estat.Http.Answering;

namespace Estat.Http.Health;

/// <summary>
/// Liveness says that the process answers; restart it when it does not. Readiness says that it takes events; route elsewhere when it does not. The
/// sink says that storage takes objects; wake somebody, but keep routing: events are kept on disk meanwhile. All three answer to everybody; what is
/// wrong with the sink in detail, with its bucket or path, is told to the operator only.
/// </summary>
/// <param name="health">How the node is.</param>
/// <param name="access">Who the operator is.</param>
internal sealed class HealthEndpoints(INodeHealth health, AdminAccess access)
{
    private static readonly byte[] Ok = "ok\n"u8.ToArray();

    internal static Task LivenessAsync(HttpContext context) => OkAsync(context);

    internal Task ReadinessAsync(HttpContext context) =>
        health.NotReadyBecause is { } reason ? Problem.Unavailable($"Not ready: {reason}.").WriteAsync(context) : OkAsync(context);

    internal async Task SinkAsync(HttpContext context)
    {
        if (await health.AskSinkAsync().ConfigureAwait(false) is not { } fault)
        {
            await OkAsync(context).ConfigureAwait(false);
            return;
        }

        string detail = access.IsOperator(context) ? fault.Detail
            : $"Objects cannot be stored now: {fault.Kind}. For the details, ask on the node itself, or with ADMIN_TOKEN.";
        await Problem.Unavailable(detail).WriteAsync(context).ConfigureAwait(false);
    }

    private static Task OkAsync(HttpContext context) => TextAnswer.WriteAsync(context, "text/plain; charset=utf-8", Ok);
}
