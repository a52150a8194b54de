// GET /admin/requests and /admin/campaigns/{id}/export: the operator looks for requests.
using System.Globalization;
using System.Text;
using System.Text.Json;
using Estat.Http.Answering;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>Pages of 50, 200 at most; the export is streamed.</summary>
internal sealed class AdminSearch(IRequestStore store, RequestJson json)
{
    private const int Usual = 50;
    private const int Most = 200;
    private const string CsvHead = "requestId,userId,sequence,status,reason,generation,attempts,receivedAt,finalAt\r\n";

    private static readonly string[] Parameters = ["campaign", "user", "id", "status", "reason", "since", "cursor", "limit"];

    /// <summary>Answers a search.</summary>
    internal async Task SearchAsync(HttpContext context)
    {
        (RequestFilter? filter, string? why) = ReadFilter(context.Request.Query);
        if (why is not null || !TryReadLimit(context.Request.Query, out int limit))
        {
            await RefuseAsync(context, why ?? $"?limit= must be a whole number from 1 to {Most}.").ConfigureAwait(false);
            return;
        }

        RequestPage page;
        try
        {
            page = await store.SearchAsync(filter!, Text(context.Request.Query, "cursor"), limit, context.RequestAborted).ConfigureAwait(false);
        }
        catch (FormatException)
        {
            await RefuseAsync(context, "?cursor= must be one that this path has answered.").ConfigureAwait(false);
            return;
        }

        byte[] body = RequestJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("requests");
            foreach (RequestRecord request in page.Requests)
            {
                Write(writer, request);
            }

            writer.WriteEndArray();
            writer.WriteString("cursor", page.Cursor);
            writer.WriteEndObject();
        });
        await TextAnswer.WriteAsync(context, "application/json", body).ConfigureAwait(false);
    }

    /// <summary>Streams all requests of a campaign, as CSV or JSON lines.</summary>
    internal async Task ExportAsync(HttpContext context, string id)
    {
        IQueryCollection query = context.Request.Query;
        string format = Text(query, "format") ?? "csv";
        RequestState? state = Text(query, "status") is { } status ? RequestStates.Parse(status) : null;
        if (await store.FindCampaignAsync(id).ConfigureAwait(false) is null)
        {
            await Problem.Of(StatusCodes.Status404NotFound, "There is no campaign of this id. GET /admin/campaigns lists them.").WriteAsync(context)
                .ConfigureAwait(false);
            return;
        }

        if (format is not ("csv" or "jsonl") || (state is null && Text(query, "status") is not null))
        {
            await RefuseAsync(context, "?format= must be csv or jsonl, and ?status= one of the states, such as SUCCEEDED.").ConfigureAwait(false);
            return;
        }

        bool isCsv = format == "csv";
        context.Response.ContentType = isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}.{format}\"";
        context.Response.Headers.CacheControl = "no-store";
        if (isCsv)
        {
            await AnswerBody.WriteAsync(context, Encoding.UTF8.GetBytes(CsvHead)).ConfigureAwait(false);
        }

        var filter = new RequestFilter { CampaignId = id, State = state };
        string? cursor = null;
        do
        {
            RequestPage page = await store.SearchAsync(filter, cursor, Most, context.RequestAborted).ConfigureAwait(false);
            using var block = new MemoryStream();
            foreach (RequestRecord request in page.Requests)
            {
                block.Write(isCsv ? Encoding.UTF8.GetBytes(CsvOf(request)) : RequestJson.Write(writer => Write(writer, request)));
            }

            await AnswerBody.WriteAsync(context, block.ToArray(), own: (int)block.Length).ConfigureAwait(false);
            cursor = page.Cursor;
        }
        while (cursor is not null);
    }

    private void Write(Utf8JsonWriter writer, RequestRecord request)
    {
        writer.WriteStartObject();
        writer.WriteString("userId", request.User is { } user ? user.Text : null);
        json.WriteMembers(writer, request, store.FindCampaign(request.CampaignOrdinal));
        writer.WriteNumber("attempts", request.Attempts);
        if (request.Failure is { Length: > 0 })
        {
            writer.WriteString("failure", request.Failure);
        }

        writer.WriteEndObject();
    }

    private static string CsvOf(RequestRecord request) => string.Join(
        ',', request.Id, Cell(request.User?.Text), request.Sequence.ToString(CultureInfo.InvariantCulture), request.State.ToText(),
        Cell(request.Reason), request.Generation.ToString(CultureInfo.InvariantCulture), request.Attempts.ToString(CultureInfo.InvariantCulture),
        Rfc3339.ToText(request.Times.Received), request.Times.Final > 0 ? Rfc3339.ToText(request.Times.Final) : "") + "\r\n";

    // A spreadsheet takes what begins with one of these for a formula: an apostrophe before it makes it a text.
    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        string safe = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        return safe.AsSpan().ContainsAny("\",\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private static (RequestFilter? Filter, string? Why) ReadFilter(IQueryCollection query)
    {
        string? unknown = query.Keys.FirstOrDefault(name => !Parameters.Contains(name));
        string? id = Text(query, "id");
        string? status = Text(query, "status");
        string? since = Text(query, "since");
        var filter = new RequestFilter
        {
            CampaignId = Text(query, "campaign"),
            User = Text(query, "user") is { } user ? UserId.Of(user) : null,
            Id = id is null ? null : RequestId.Parse(id),
            State = status is null ? null : RequestStates.Parse(status),
            Reason = Text(query, "reason"),
            Since = since is null ? null : Rfc3339.Parse(since),
        };
        string? twice = query.FirstOrDefault(parameter => parameter.Value.Count > 1).Key;
        return twice is not null ? (null, $"?{twice}= must come once.")
            : Text(query, "user") is not null && filter.User is null ? (null, $"?user= must be a text of 1 to {UserId.Longest} bytes.")
            : unknown is not null ? (null, $"There is no parameter ?{unknown}=. A search may have: {string.Join(", ", Parameters)}.")
            : id is not null && filter.Id is null ? (null, "?id= must be a request's id, such as 8c5f0a4e-….")
            : status is not null && filter.State is null ? (null, "?status= must be one of the states, such as FAILED_FINAL.")
            : since is not null && filter.Since is null ? (null, "?since= must be a time with an offset, such as 2026-12-24T10:00:00Z.")
            : (filter, null);
    }

    private static bool TryReadLimit(IQueryCollection query, out int limit)
    {
        limit = Usual;
        return Text(query, "limit") is not { } text
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= Most);
    }

    private static string? Text(IQueryCollection query, string name) => query[name] is [{ Length: > 0 } only] ? only : null;

    private static Task RefuseAsync(HttpContext context, string why) => Problem.Of(StatusCodes.Status400BadRequest, why).WriteAsync(context);
}
