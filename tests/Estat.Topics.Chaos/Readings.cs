// What PostgreSQL has, and what the log has, in the end.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;

namespace Estat.Topics.Chaos;

/// <summary>A message as it was found. Serial and stream are those of its value; -1: it has none.</summary>
internal readonly record struct Found(int Partition, long Offset, int Stream, long Serial, string? Key);

/// <summary>A dead letter.</summary>
internal sealed record Letter(string Topic, int Partition, long Offset, string Kind, string Reason, string State, int Stream, long Serial);

/// <summary>All that was read at the end.</summary>
internal sealed record Reading
{
    /// <summary>Rows of messages by topic, in the order of partition and offset.</summary>
    internal Dictionary<string, List<Found>> Rows { get; } = [];

    internal List<Letter> Letters { get; } = [];

    /// <summary>consumer_offsets.</summary>
    internal Dictionary<(string Topic, int Partition), long> NextOffsets { get; } = [];

    /// <summary>topic_status.</summary>
    internal Dictionary<string, (long Messages, long Typed)> Counts { get; } = [];

    /// <summary>What GET /api/topics/{topic}/records gives, by topic.</summary>
    internal Dictionary<string, List<Found>> Log { get; } = [];

    /// <summary>Where the log begins and ends.</summary>
    internal Dictionary<(string Topic, int Partition), (long Start, long End)> Bounds { get; } = [];

    /// <summary>Typed rows by topic.</summary>
    internal Dictionary<string, long> Typed { get; } = [];

    /// <summary>Positions of messages and typed rows that do not match.</summary>
    internal List<string> Unmatched { get; } = [];

    internal long RowCount => Rows.Values.Sum(rows => (long)rows.Count);
}

/// <summary>Reads it.</summary>
internal static partial class Readings
{
    private static readonly (string Topic, string Table, string Column, string Member)[] TypedTables =
    [
        ("user-activities", "user_activities", "user_id", "userId"), ("system-metrics", "system_metrics", "metric_name", "metricName"),
        ("error-logs", "error_logs", "service", "service"),
    ];

    internal static async Task<Reading> ReadAsync(string database, HttpClient client)
    {
        var reading = new Reading();
        await using var source = NpgsqlDataSource.Create(database + ";Command Timeout=300");
        await using NpgsqlConnection connection = await source.OpenConnectionAsync();
        foreach (string topic in SentMessages.Topics)
        {
            reading.Rows.Add(topic, []);
        }

        await EachAsync(
            connection,
            """
            SELECT topic, "partition", "offset", coalesce((value->>'s')::int, -1), coalesce((value->>'n')::bigint, -1), key
            FROM messages ORDER BY topic, "partition", "offset"
            """,
            row =>
            {
                string topic = row.GetString(0);
                if (!reading.Rows.TryGetValue(topic, out List<Found>? rows))
                {
                    reading.Rows.Add(topic, rows = []);
                }

                rows.Add(new Found(row.GetInt32(1), row.GetInt64(2), row.GetInt32(3), row.GetInt64(4), row.IsDBNull(5) ? null : row.GetString(5)));
            });
        await EachAsync(
            connection, """SELECT topic, "partition", "offset", kind, reason, state, value FROM dead_letters ORDER BY 1, 2, 3""",
            row =>
            {
                (int stream, long serial) = NumbersIn(row.IsDBNull(6) ? "" : System.Text.Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(6)));
                reading.Letters.Add(new Letter(
                    row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetString(3), row.GetString(4), row.GetString(5), stream, serial));
            });
        await EachAsync(
            connection, "SELECT topic, \"partition\", next_offset FROM consumer_offsets",
            row => reading.NextOffsets.Add((row.GetString(0), row.GetInt32(1)), row.GetInt64(2)));
        await EachAsync(
            connection, "SELECT topic_name, message_count, typed_count FROM topic_status",
            row => reading.Counts.Add(row.GetString(0), (row.GetInt64(1), row.GetInt64(2))));
        await ReadTypedAsync(connection, reading);
        foreach (string topic in SentMessages.Topics)
        {
            reading.Log.Add(topic, []);
            for (int partition = 0; partition < Node.Partitions; partition++)
            {
                await ReadLogAsync(client, topic, partition, reading);
            }
        }

        return reading;
    }

    /// <summary>The sum of all next offsets, and null while the database is away.</summary>
    internal static async Task<long?> StoredAsync(string database)
    {
        try
        {
            await using var connection = new NpgsqlConnection(database);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand("SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets", connection);
            return (long)(await command.ExecuteScalarAsync())!;
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    // A typed row has its message's id.
    private static async Task ReadTypedAsync(NpgsqlConnection connection, Reading reading)
    {
        foreach ((string topic, string table, string column, string member) in TypedTables)
        {
            await EachAsync(connection, $"SELECT count(*), count(DISTINCT id) FROM {table}", row =>
            {
                reading.Typed.Add(topic, row.GetInt64(0));
                if (row.GetInt64(0) != row.GetInt64(1))
                {
                    reading.Unmatched.Add($"{table} has {row.GetInt64(0)} rows with {row.GetInt64(1)} ids");
                }
            });
            await EachAsync(
                connection,
                $"""
                SELECT m."partition", m."offset", t.id IS NOT NULL, d.id IS NOT NULL, m.id IS NOT NULL
                FROM (SELECT * FROM messages WHERE topic = '{topic}') AS m FULL JOIN {table} AS t ON t.id = m.id
                LEFT JOIN dead_letters AS d ON d.id = m.id AND d.kind = 'typed'
                WHERE m.id IS NULL OR (t.id IS NULL) = (d.id IS NULL)
                    OR (t.id IS NOT NULL AND (t.{column} <> m.value->>'{member}' OR t."timestamp" <> m."timestamp"))
                """,
                row => reading.Unmatched.Add(row.GetBoolean(4)
                    ? $"{topic}/{row.GetInt32(0)}@{row.GetInt64(1)} is in messages, "
                        + $"{(row.GetBoolean(2) ? "" : "not ")}in {table}, and {(row.GetBoolean(3) ? "" : "no ")}typed dead letter, or they differ"
                    : $"{table} has a row without its message"));
        }
    }

    private static async Task ReadLogAsync(HttpClient client, string topic, int partition, Reading reading)
    {
        List<Found> log = reading.Log[topic];
        int before = log.Count;
        long first = 0;
        for (long offset = 0; ;)
        {
            var path = new Uri(
                string.Create(CultureInfo.InvariantCulture, $"/api/topics/{topic}/records?partition={partition}&offset={offset}&limit=1000"),
                UriKind.Relative);
            using JsonDocument json = JsonDocument.Parse(await client.GetByteArrayAsync(path));
            if (LongOf(json.RootElement, "startOffset") is var start && start > offset)
            {
                log.RemoveRange(before, log.Count - before); // what was read has become too old just now
                first = start;
            }

            reading.Bounds[(topic, partition)] = (first, LongOf(json.RootElement, "endOffset"));
            JsonElement data = json.RootElement.GetProperty("data");
            if (data.GetArrayLength() == 0)
            {
                return;
            }

            foreach (JsonElement record in data.EnumerateArray())
            {
                // The value may hold what cannot be decoded.
                (int stream, long serial) = NumbersIn(record.GetProperty("value").GetRawText());
                log.Add(new Found(partition, LongOf(record, "offset"), stream, serial, record.GetProperty("key").GetString()));
            }

            offset = LongOf(json.RootElement, "nextOffset");
        }
    }

    /// <summary>A number that may be written as a string.</summary>
    internal static long LongOf(JsonElement json, string name) => json.GetProperty(name) is var value && value.ValueKind == JsonValueKind.String
        ? long.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetInt64();

    private static async Task EachAsync(NpgsqlConnection connection, string sql, Action<NpgsqlDataReader> take)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            take(reader);
        }
    }

    private static (int Stream, long Serial) NumbersIn(string value) => Numbers().Match(value) is { Success: true } match
        ? (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
        : (-1, -1);

    [GeneratedRegex("\"s\":(-?[0-9]+),\"n\":([0-9]+)")]
    private static partial Regex Numbers();
}
