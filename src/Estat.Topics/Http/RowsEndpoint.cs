// GET /api/messages, /api/user-activities, /api/metrics, /api/errors: pages of rows.
using Estat.Http.Intake;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Newest first. A page goes on by its cursor; <c>offset</c> is for clients that know nothing else, and is bounded.</summary>
/// <param name="rows">Reads them.</param>
/// <param name="refusals">The answers to what cannot be asked.</param>
internal sealed class RowsEndpoint(RowReader rows, QueryRefusals refusals)
{
    private const int Usual = 100;
    private const int Most = 1000;
    private const int MostOffset = 10_000;

    private static readonly string[] Common = ["startDate", "endDate", "limit", "offset", "cursor", "count"];

    /// <summary>Answers.</summary>
    internal async Task ShowAsync(HttpContext context, Reader reader, QueryTable table)
    {
        (RowQuery? query, string? fault) = Read(context, table);
        if (query is null)
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed(fault!)).ConfigureAwait(false);
            return;
        }

        if (!reader.HasAnyTopic && !(TopicOf(query) is { } topic && reader.MayUse(topic)))
        {
            await HttpAnswers.WriteAsync(context, refusals.NotThisTopic).ConfigureAwait(false);
            return;
        }

        await QueryAnswers.WriteAsync(context, await rows.ReadAsync(query, context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static string? TopicOf(RowQuery query) =>
        query.Table.Topic ?? query.Filters.Where(asked => asked.Filter.Parameter == "topic").Select(asked => asked.Text).FirstOrDefault();

    private static (RowQuery? Query, string? Fault) Read(HttpContext context, QueryTable table)
    {
        var parameters = new QueryParameters(context, [.. table.Filters.Select(filter => filter.Parameter), .. Common]);
        var filters = new List<AskedFilter>();
        foreach (QueryFilter filter in table.Filters)
        {
            string? text = filter.IsFlag ? FlagOf(parameters, filter.Parameter) : parameters.Text(filter.Parameter);
            if (text is not null)
            {
                filters.Add(new AskedFilter(filter, text));
            }
        }

        var query = new RowQuery(table, filters)
        {
            Start = parameters.Moment("startDate", isEnd: false),
            End = parameters.Moment("endDate", isEnd: true),
            Limit = (int)(parameters.Number("limit", 1, Most) ?? Usual),
            Offset = (int?)parameters.Number("offset", 0, MostOffset),
            Count = (CountKind)parameters.Choice("count", "", "exact", "estimated"),
        };
        if (query.Start > query.End)
        {
            parameters.Refuse("startDate must not be after endDate.");
        }

        if (parameters.Text("cursor") is { } cursor)
        {
            query = query with { After = PageCursor.Read(query, cursor) };
            parameters.Refuse(query.Offset is not null ? "cursor and offset cannot come together: a cursor says where the page begins."
                : query.After is null ? "cursor must be one that this path answered to the same filters. Begin again without it."
                : null);
        }

        return parameters.Fault is { } fault ? (null, fault) : (query, null);
    }

    private static string? FlagOf(QueryParameters parameters, string name) => parameters.Choice(name, "", "true", "false") switch
    {
        1 => "true",
        2 => "false",
        _ => null,
    };
}
