// One reading of a page.
using System.Text.Json;
using Npgsql;

namespace Estat.Topics.Querying;

/// <summary>Holds back what it read until it is known that the page is whole: a page of a window that is not full is read again, from more
/// days.</summary>
/// <param name="json">The answer.</param>
/// <param name="body">What it is written to.</param>
/// <param name="query">The question.</param>
internal sealed class PageInProgress(Utf8JsonWriter json, AnswerBuffer body, RowQuery query)
{
    private readonly object[] _last = new object[query.Table.Order.Count];
    private int _rows;

    /// <summary>Where the next page goes on; null when there is none.</summary>
    internal string? Cursor { get; private set; }

    private bool IsFull => _rows == query.Limit || body.Length + json.BytesPending >= RowReader.MostBytes;

    /// <summary>Reads and writes.</summary>
    /// <param name="command">The question in SQL.</param>
    /// <param name="isLast">Whether a page that is not full is the answer.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether the answer has its rows; else nothing of it is left.</returns>
    internal async Task<bool> ReadAsync(NpgsqlCommand command, bool isLast, CancellationToken cancellation)
    {
        json.WriteStartObject();
        json.WriteStartArray("data");
        NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        bool isMore = false;
        try
        {
            while (!isMore && await rows.ReadAsync(cancellation).ConfigureAwait(false))
            {
                isMore = IsFull;
                if (!isMore)
                {
                    Write(rows);
                }
            }

            if (isMore && _rows < query.Limit)
            {
                command.Cancel(); // what is left of a page that became too large is not worth receiving
            }
        }
        finally
        {
            await EndAsync(rows).ConfigureAwait(false);
        }

        if (!isMore && !isLast)
        {
            json.Reset();
            body.Dispose();
            return false;
        }

        json.WriteEndArray();
        Cursor = isMore ? PageCursor.Write(query, _last) : null;
        return true;
    }

    private void Write(NpgsqlDataReader row)
    {
        RowJson.Write(json, row, query.Table);
        _rows++;
        if (!IsFull)
        {
            return;
        }

        for (int i = 0; i < _last.Length; i++)
        {
            int column = query.Table.Order[i];
            _last[i] = RowJson.Read(row, column, query.Table.Columns[column].Kind);
        }
    }

    private static async Task EndAsync(NpgsqlDataReader rows)
    {
        try
        {
            await rows.DisposeAsync().ConfigureAwait(false);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            // As asked.
        }
    }
}
