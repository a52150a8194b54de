// The paths below /api: what produces, and what asks.
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Connections;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Finds who answers.</summary>
/// <param name="produce">Takes messages.</param>
/// <param name="queries">Answers everything else.</param>
/// <param name="cors">Which pages may produce.</param>
/// <param name="members">What problems say besides.</param>
/// <param name="requests">Counts HTTP requests.</param>
/// <param name="ends">How they end: in the words of those that produce, and of those that ask.</param>
internal sealed class TopicRoutes(
    ProduceEndpoint produce, QueryService queries, Cors cors, IProblemMembers members, RequestCounters requests,
    (HttpRequestEnd Produce, HttpRequestEnd Query) ends)
{
    private const string Produce = "/api/produce/";

    /// <summary>Who handles the paths below which first segment.</summary>
    internal IReadOnlyDictionary<string, PathHandler> Trees => new Dictionary<string, PathHandler>(StringComparer.Ordinal) { ["/api"] = HandleAsync };

    private Task HandleAsync(HttpContext context, ConnectionSeat? seat)
    {
        requests.Started.Increment();
        context.Features.Set(members);
        string path = context.Request.Path.Value!;
        return path.StartsWith(Produce, StringComparison.Ordinal) && path.Length > Produce.Length && path.IndexOf('/', Produce.Length) < 0
            ? ends.Produce.RunAsync(context, seat, ProduceAsync) : ends.Query.RunAsync(context, seat, queries.HandleAsync);
    }

    private Task ProduceAsync(HttpContext context)
    {
        string method = context.Request.Method;
        return method == HttpMethods.Post ? produce.HandleAsync(context, context.Request.Path.Value![Produce.Length..])
            : method == HttpMethods.Options ? cors.PreflightAsync(context)
            : Problem.NotAllowedAsync(context, "POST, OPTIONS");
    }
}
