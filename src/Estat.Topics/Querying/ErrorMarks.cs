// PATCH /api/errors/{id}: an error is resolved, or open again.
using System.Buffers.Binary;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Querying;

/// <summary>Changes the marks of a row of <c>error_logs</c>; setting them again changes nothing.</summary>
/// <param name="database">The connections.</param>
/// <param name="time">The clock.</param>
internal sealed class ErrorMarks(QueryDatabase database, TimeProvider time)
{
    private static readonly string Sql = $"""
        UPDATE error_logs SET resolved = $2, resolved_at = CASE WHEN $2 THEN coalesce(resolved_at, $3) END
        WHERE id = $1 AND "timestamp" >= $4 AND "timestamp" < $5
        RETURNING {QueryTable.Errors.Selected}
        """;

    /// <summary>Marks it.</summary>
    /// <param name="id">A UUIDv8 that begins with its row's time: only that day is looked at.</param>
    /// <param name="isResolved">How it is from now on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The row as JSON, which the caller disposes of; null when there is none.</returns>
    /// <exception cref="QueryException">It cannot be done now.</exception>
    internal Task<AnswerBuffer?> MarkAsync(Guid id, bool isResolved, CancellationToken cancellationToken)
    {
        DateTime at = DateTime.UnixEpoch.AddMilliseconds(MillisecondsOf(id));
        return database.RunAsync(
            async (connection, cancellation) =>
            {
                var command = new NpgsqlCommand(Sql, connection);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange(new NpgsqlParameter[]
                    {
                        new() { Value = id, NpgsqlDbType = NpgsqlDbType.Uuid },
                        new() { Value = isResolved, NpgsqlDbType = NpgsqlDbType.Boolean },
                        new() { Value = time.GetUtcNow().UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                        new() { Value = at, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                        new() { Value = at.AddMilliseconds(1), NpgsqlDbType = NpgsqlDbType.TimestampTz },
                    });
                    NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                    await using (rows.ConfigureAwait(false))
                    {
                        return await rows.ReadAsync(cancellation).ConfigureAwait(false) ? Write(rows) : null;
                    }
                }
            },
            cancellationToken);
    }

    // 48 bits reach to the year 10889, which DateTime does not.
    private static double MillisecondsOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = id.TryWriteBytes(bytes, bigEndian: true, out _);
        long milliseconds = (long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16);
        return Math.Min(milliseconds, (DateTime.MaxValue - DateTime.UnixEpoch).TotalMilliseconds - 1000);
    }

    private static AnswerBuffer Write(NpgsqlDataReader row)
    {
        var body = new AnswerBuffer();
        using var json = new Utf8JsonWriter(body, RowJson.Readable);
        json.WriteStartObject();
        json.WritePropertyName("data");
        RowJson.Write(json, row, QueryTable.Errors);
        json.WriteEndObject();
        return body;
    }
}
