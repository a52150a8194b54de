// Pages of rows: {data:[…],pagination:{…}}.
using System.Text.Json;
using Npgsql;

namespace Estat.Topics.Querying;

/// <summary>
/// A page ends at its limit, or once it has <see cref="MostBytes"/>: the cursor goes on from there. Rows of the last day are looked at first, then
/// those of more days, until the page is full: with years of days the first page would otherwise ask each of them. Any thread.
/// </summary>
/// <param name="database">The connections.</param>
/// <param name="time">The clock.</param>
internal sealed class RowReader(QueryDatabase database, TimeProvider time)
{
    /// <summary>Bytes of JSON at which a page ends.</summary>
    internal const int MostBytes = 16 << 20;

    private static readonly TimeSpan?[] Windows = [TimeSpan.FromDays(1), TimeSpan.FromDays(16), TimeSpan.FromDays(128), null];

    /// <summary>A page, as JSON. The caller disposes of it.</summary>
    /// <param name="query">The question.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="QueryException">It has no answer now.</exception>
    internal Task<AnswerBuffer> ReadAsync(RowQuery query, CancellationToken cancellationToken) => database.RunAsync(
        async (connection, cancellation) =>
        {
            var body = new AnswerBuffer();
            try
            {
                var json = new Utf8JsonWriter(body, RowJson.Readable);
                await using (json.ConfigureAwait(false))
                {
                    string? cursor = await WriteRowsAsync(json, body, connection, query, cancellation).ConfigureAwait(false);
                    long? total = await CountAsync(connection, query, cancellation).ConfigureAwait(false);
                    WritePagination(json, query, total, cursor);
                    json.WriteEndObject();
                }

                return body;
            }
            catch
            {
                body.Dispose();
                throw;
            }
        },
        cancellationToken);

    private async Task<string?> WriteRowsAsync(
        Utf8JsonWriter json, AnswerBuffer body, NpgsqlConnection connection, RowQuery query, CancellationToken cancellation)
    {
        DateTime newest = query.After is { } after ? (DateTime)after[0] : time.GetUtcNow().UtcDateTime;
        newest = query.End < newest ? query.End.Value : newest;
        foreach (TimeSpan? window in Windows)
        {
            DateTime? since = window is { } length && newest - DateTime.UnixEpoch > length ? newest - length : null;
            bool isLast = since is null || since <= query.Start;
            NpgsqlCommand command = RowSql.Page(query, since, connection);
            await using (command.ConfigureAwait(false))
            {
                var page = new PageInProgress(json, body, query);
                if (await page.ReadAsync(command, isLast, cancellation).ConfigureAwait(false))
                {
                    return page.Cursor;
                }
            }
        }

        return null;
    }

    private static async Task<long?> CountAsync(NpgsqlConnection connection, RowQuery query, CancellationToken cancellation)
    {
        if (query.Count == CountKind.None)
        {
            return null;
        }

        NpgsqlCommand command = query.Count == CountKind.Exact ? RowSql.Count(query, connection) : RowSql.Estimate(query, connection);
        await using (command.ConfigureAwait(false))
        {
            object? answer = await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false);
            if (answer is long exact)
            {
                return exact;
            }

            using var plan = JsonDocument.Parse((string)answer!);
            return (long)plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
        }
    }

    private static void WritePagination(Utf8JsonWriter json, RowQuery query, long? total, string? cursor)
    {
        json.WriteStartObject("pagination");
        if (total is { } count)
        {
            json.WriteNumber("total", count);
        }

        json.WriteNumber("limit", query.Limit);
        if (query.Offset is { } offset)
        {
            json.WriteNumber("offset", offset);
        }

        json.WriteBoolean("hasMore", cursor is not null);
        json.WriteString("cursor", cursor);
        json.WriteEndObject();
    }
}
