// GET /api/metrics/aggregated: a metric's values by minute, hour or day.
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Querying;

/// <summary>How long a period is.</summary>
internal enum AggregatePeriod
{
    /// <summary>A minute.</summary>
    Minute,

    /// <summary>An hour.</summary>
    Hour,

    /// <summary>A UTC day.</summary>
    Day,
}

/// <summary>What is asked.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="Period">Length of a period.</param>
/// <param name="Start">The earliest time, inclusive; null: the <see cref="MetricAggregates.Most"/> periods before the end.</param>
/// <param name="End">The latest time, inclusive; null: now.</param>
internal sealed record AggregateQuery(string Metric, AggregatePeriod Period, DateTime? Start, DateTime? End);

/// <summary>Periods are UTC's, newest first, and only those that have values.</summary>
/// <param name="database">The connections.</param>
/// <param name="time">The clock.</param>
internal sealed class MetricAggregates(QueryDatabase database, TimeProvider time)
{
    /// <summary>Most periods of an answer.</summary>
    internal const int Most = 1000;

    private const string Sql = """
        SELECT to_char(p, $5), avg(value), min(value), max(value), percentile_cont(0.95) WITHIN GROUP (ORDER BY value), count(*)
        FROM (SELECT date_trunc($4, "timestamp", 'UTC') AT TIME ZONE 'UTC' AS p, value FROM system_metrics
              WHERE metric_name = $1 AND "timestamp" >= $2 AND "timestamp" <= $3) v
        GROUP BY p ORDER BY p DESC LIMIT 1000
        """;

    private static readonly string[] Names = ["avg_value", "min_value", "max_value", "p95_value"];

    /// <summary>The periods, as JSON. The caller disposes of it.</summary>
    /// <param name="query">The question.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="QueryException">It has no answer now.</exception>
    internal Task<AnswerBuffer> ReadAsync(AggregateQuery query, CancellationToken cancellationToken) => database.RunAsync(
        async (connection, cancellation) =>
        {
            var body = new AnswerBuffer();
            try
            {
                var command = new NpgsqlCommand(Sql, connection);
                await using (command.ConfigureAwait(false))
                {
                    AddParameters(command, query);
                    NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                    await using (rows.ConfigureAwait(false))
                    {
                        await WriteAsync(body, rows, cancellation).ConfigureAwait(false);
                    }
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

    private void AddParameters(NpgsqlCommand command, AggregateQuery query)
    {
        (string unit, string form, TimeSpan length) = query.Period switch
        {
            AggregatePeriod.Minute => ("minute", "YYYY-MM-DD HH24:MI", TimeSpan.FromMinutes(1)),
            AggregatePeriod.Hour => ("hour", "YYYY-MM-DD HH24", TimeSpan.FromHours(1)),
            _ => ("day", "YYYY-MM-DD", TimeSpan.FromDays(1)),
        };
        DateTime end = query.End ?? time.GetUtcNow().UtcDateTime;
        DateTime start = query.Start ?? StartOf(end, length);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new() { Value = query.Metric, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = start, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            new() { Value = end, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            new() { Value = unit, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = form, NpgsqlDbType = NpgsqlDbType.Text },
        });
    }

    // The end's own period is the last of them.
    private static DateTime StartOf(DateTime end, TimeSpan length)
    {
        long periods = (end - DateTime.UnixEpoch).Ticks / length.Ticks;
        return DateTime.UnixEpoch + (Math.Max(0, periods - (Most - 1)) * length);
    }

    private static async Task WriteAsync(AnswerBuffer body, NpgsqlDataReader rows, CancellationToken cancellation)
    {
        var json = new Utf8JsonWriter(body, RowJson.Readable);
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
            {
                json.WriteStartObject();
                json.WriteString("period", rows.GetString(0));
                for (int i = 0; i < Names.Length; i++)
                {
                    json.WritePropertyName(Names[i]);
                    RowJson.WriteDouble(json, rows.GetDouble(i + 1));
                }

                json.WriteNumber("count", rows.GetInt64(5));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }
}
