// /health, /health/ready, /health/sink: for programs that restart, route to, or watch a node.
using System.Reflection;
using System.Text.Json;
using Estat.Base.Options;
using Estat.Http.Access;
using Estat.Http.Answering;
using Microsoft.Net.Http.Headers;

namespace Estat.Http.Health;

/// <summary>
/// Liveness says that the process answers; restart it when it does not. Readiness says that it takes events; route elsewhere when it does not. The
/// sink says that storage takes objects; wake somebody, but keep routing: events are kept on disk meanwhile. All three answer to everybody; what is
/// wrong with the sink in detail, with its bucket or path, is told to the operator only.
/// </summary>
/// <param name="health">How the node is.</param>
/// <param name="access">Who the operator is.</param>
/// <param name="time">The clock.</param>
internal sealed class HealthEndpoints(INodeHealth health, AdminAccess access, TimeProvider time)
{
    private const string Json = "application/json";

    private static readonly byte[] Ok = "ok\n"u8.ToArray();

    private readonly long _began = time.GetTimestamp();

    /// <summary>200, whatever is wrong elsewhere; as JSON for who asks for that and not for text.</summary>
    internal Task LivenessAsync(HttpContext context) => IsForJson(context) ? TextAnswer.WriteAsync(context, Json, LivenessJson()) : OkAsync(context);

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

    // What any client takes (*/*) is the text.
    private static bool IsForJson(HttpContext context)
    {
        if (context.Request.Headers.Accept.Count == 0)
        {
            return false;
        }

        IList<MediaTypeHeaderValue> accepted = context.Request.GetTypedHeaders().Accept;
        return QualityOf(accepted, Json) is > 0 and var json && json >= QualityOf(accepted, "text/plain");
    }

    private static double QualityOf(IList<MediaTypeHeaderValue> accepted, string type) =>
        accepted.FirstOrDefault(value => value.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)) is { } named ? named.Quality ?? 1 : 0;

    private byte[] LivenessJson()
    {
        string version = typeof(HealthEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("status", "healthy");
            json.WriteString("timestamp", MomentText.ToText(time.GetUtcNow()));
            json.WriteNumber("uptime", Math.Round(time.GetElapsedTime(_began).TotalSeconds, 3));
            json.WriteString("version", version.Split('+')[0]);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static Task OkAsync(HttpContext context) => TextAnswer.WriteAsync(context, "text/plain; charset=utf-8", Ok);
}
