// The paths of queries: which method goes where.
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Topics.Log;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Who answers.</summary>
/// <param name="Rows">Pages of rows.</param>
/// <param name="Aggregates">Metrics by period.</param>
/// <param name="Errors">Marks of errors.</param>
/// <param name="Topics">Topics and totals.</param>
/// <param name="Log">Messages of the log.</param>
internal sealed record QueryEndpoints(
    RowsEndpoint Rows, AggregateEndpoint Aggregates, ErrorEndpoint Errors, TopicsEndpoint Topics, LogEndpoint Log);

/// <summary>Finds who answers a path below <c>/api</c>, once it is known who asks. Any thread.</summary>
/// <param name="endpoints">Who answers.</param>
/// <param name="readers">Who asks.</param>
/// <param name="cors">Which pages may read the answers.</param>
/// <param name="refusals">The answers to what cannot be asked.</param>
/// <param name="members">What problems say besides.</param>
internal sealed class QueryRoutes(
    QueryEndpoints endpoints, IReaders readers, UserCors cors, QueryRefusals refusals, IProblemMembers members)
{
    private const string Errors = "/api/errors/";
    private const string Topics = "/api/topics/";
    private const string Records = "/records";

    /// <summary>Answers an HTTP request; 404 where nothing is.</summary>
    internal async Task HandleAsync(HttpContext context)
    {
        context.Features.Set(members);
        try
        {
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (QueryException error)
        {
            await HttpAnswers.WriteAsync(context, refusals.Of(error)).ConfigureAwait(false);
        }
        catch (TopicLogException)
        {
            await HttpAnswers.WriteAsync(context, refusals.NoLog).ConfigureAwait(false);
        }
    }

    private async Task RouteAsync(HttpContext context)
    {
        if (Find(context.Request.Path.Value!) is not { } route)
        {
            await HttpAnswers.WriteAsync(context, refusals.NoPath).ConfigureAwait(false);
            return;
        }

        if (HttpMethods.IsOptions(context.Request.Method))
        {
            await cors.PreflightAsync(context, route.Allowed).ConfigureAwait(false);
            return;
        }

        cors.Show(context);
        if (!route.Allowed.Split(", ").Contains(context.Request.Method, StringComparer.Ordinal))
        {
            await Problem.NotAllowedAsync(context, route.Allowed).ConfigureAwait(false);
            return;
        }

        ReaderAnswer asked = await readers.FindAsync(context).ConfigureAwait(false);
        await (asked.Reader is { } reader ? route.Answer(context, reader) : HttpAnswers.WriteAsync(context, asked.Refusal!)).ConfigureAwait(false);
    }

    private Route? Find(string path) => path switch
    {
        "/api/messages" => Page(QueryTable.Messages),
        "/api/user-activities" => Page(QueryTable.UserActivities),
        "/api/metrics" => Page(QueryTable.Metrics),
        "/api/errors" => Page(QueryTable.Errors),
        "/api/metrics/aggregated" => new Route(endpoints.Aggregates.ShowAsync),
        "/api/topics" => new Route(endpoints.Topics.ListAsync),
        "/api/stats" => new Route(endpoints.Topics.StatsAsync),
        _ => FindBelow(path),
    };

    private Route? FindBelow(string path)
    {
        if (path.StartsWith(Errors, StringComparison.Ordinal))
        {
            string id = path[Errors.Length..];
            return IsSegment(id) ? new Route((context, reader) => endpoints.Errors.MarkAsync(context, reader, id), "PATCH, OPTIONS") : null;
        }

        if (!path.StartsWith(Topics, StringComparison.Ordinal))
        {
            return null;
        }

        string name = path[Topics.Length..];
        if (IsSegment(name))
        {
            return new Route((context, reader) => endpoints.Topics.ShowAsync(context, reader, name));
        }

        if (!name.EndsWith(Records, StringComparison.Ordinal) || !IsSegment(name[..^Records.Length]))
        {
            return null;
        }

        name = name[..^Records.Length];
        return new Route((context, reader) => endpoints.Log.ShowAsync(context, reader, name));
    }

    private Route Page(QueryTable table) => new((context, reader) => endpoints.Rows.ShowAsync(context, reader, table));

    private static bool IsSegment(string text) => text.Length > 0 && !text.Contains('/', StringComparison.Ordinal);

    private sealed record Route(Func<HttpContext, Reader, Task> Answer, string Allowed = "GET, HEAD, OPTIONS");
}
