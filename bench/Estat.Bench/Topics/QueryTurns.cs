// Pages of messages over a million rows, beside the bare SELECT through Npgsql.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;
using Npgsql;

namespace Estat.Bench.Topics;

/// <summary>Rows are made by SQL: how they came there is measured apart.</summary>
internal static class QueryTurns
{
    private const int Rows = 1_000_000;
    private const int Connections = 16;
    private const int Page = 10;
    private const int Deep = 1_000;

    private static readonly string Fill =
        "INSERT INTO messages (id, topic, \"partition\", \"offset\", key, value, headers, \"timestamp\") SELECT gen_random_uuid(), "
        + "(ARRAY['user-activities','system-metrics','error-logs','notifications'])[1 + n % 4], n % 12, n, 'user-' || n % 1000, "
        + "jsonb_build_object('number', n, 'text', repeat('x', 100)), '{}', now() - n * interval '200 milliseconds' FROM generate_series(1, " + Rows.ToString(CultureInfo.InvariantCulture) + ") n";

    private static readonly IReadOnlyList<Column> Columns = [new(Metric.EventsPerSecond, "requests/s", 0), new(Metric.P99, "ms, 99 %", 1)];

    internal static async Task<Section> RunAsync(string part, PostgresServer server, SuiteContext context)
    {
        string database = await server.CreateDatabaseAsync();
        await using EstatNode node = await EstatNode.StandaloneAsync(
            context.FolderOf("topics-queries"), ("SERVE", "topics"), ("TOPICS_DIR", context.FolderOf("topics-queries-log")),
            ("TOPICS_DATABASE", server.ConnectionString(database)));
        await TopicsPart.UntilTablesAsync(node);
        context.Say($"{part}: filling {Rows:N0} rows");
        await server.QueryAsync(database, Fill);
        await server.QueryAsync(database, "ANALYZE messages");
        RequestFile first = RequestFile.Heads(context.Folder, "page-1", [Head("")]);
        RequestFile deep = RequestFile.Heads(context.Folder, "page-1000", [Head($"&cursor={await CursorAsync(node)}")]);
        IReadOnlyList<Row> rows = await Contender.CompareAsync(
            part,
            [
                Contender.Of("page 1", node, new Wrk(first, Connections), context.Options.Turn),
                Contender.Of("page 1,000", node, new Wrk(deep, Connections), context.Options.Turn),
                new Contender("the bare SELECT through Npgsql", () => SelectAsync(server.ConnectionString(database), context.Options.Turn)),
            ],
            Math.Min(3, context.Options.Rounds), context);
        double rate = rows[0].Medians[Metric.EventsPerSecond];
        return new Section(
            part, $"Topics: pages of {Page} messages of one topic over {Rows:N0} rows, {Connections} connections", Columns, rows,
            [
                string.Create(CultureInfo.InvariantCulture, $"{rate:N0} requests/s: at least 1,000, or"),
                TopicsPart.Ratio(rate, rows[2].Medians[Metric.EventsPerSecond], "of the bare SELECT: at least 0.5"),
                TopicsPart.Ratio(rows[1].Medians[Metric.EventsPerSecond], rate, "page 1,000 to page 1"),
            ]);
    }

    private static string Head(string more) =>
        $"GET /api/messages?topic=user-activities&limit={Page}{more} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    private static async Task<string> CursorAsync(EstatNode node)
    {
        using var client = new HttpClient { BaseAddress = node.Address };
        string cursor = "";
        for (int page = 0; page < Deep / 100; page++)
        {
            using JsonDocument json = JsonDocument.Parse(await client.GetStringAsync(new Uri(
                $"/api/messages?topic=user-activities&limit={100 * Page}{(cursor.Length == 0 ? "" : "&cursor=" + cursor)}", UriKind.Relative)));
            cursor = json.RootElement.GetProperty("pagination").GetProperty("cursor").GetString()!;
        }

        return cursor;
    }

    private static async Task<Dictionary<string, double>> SelectAsync(string connectionString, TimeSpan duration)
    {
        long began = Stopwatch.GetTimestamp();
        long count = 0;
        List<double> took = [];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(
                "SELECT id, topic, \"partition\", \"offset\", key, value::text, headers::text, \"timestamp\", created_at FROM messages "
                    + $"WHERE topic = 'user-activities' ORDER BY \"timestamp\" DESC, \"partition\" DESC, \"offset\" DESC LIMIT {Page}", connection);
            await command.PrepareAsync();
            while (Stopwatch.GetElapsedTime(began) < duration)
            {
                long at = Stopwatch.GetTimestamp();
                await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
                {
                    while (await reader.ReadAsync())
                    {
                        reader.GetString(5);
                    }
                }

                Interlocked.Increment(ref count);
                lock (took)
                {
                    took.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
                }
            }
        })));
        took.Sort();
        return new Dictionary<string, double>
        {
            [Metric.EventsPerSecond] = count / Stopwatch.GetElapsedTime(began).TotalSeconds, [Metric.P99] = took[took.Count * 99 / 100],
        };
    }
}
