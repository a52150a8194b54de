// Page 1,000 costs what page 1 costs: shown by PostgreSQL's own account of what it read, not by a clock.
using System.Text.Json;
using Estat.Topics.Options;
using Estat.Topics.Querying;
using Npgsql;

namespace Estat.Topics.Tests.Querying;

public sealed class QueryPlanTests(LocalPostgres postgres, ITestOutputHelper output) : IClassFixture<LocalPostgres>
{
    private const int Limit = 100;

    // Rows that may be read for a page of 100: the page itself, and some of each topic or day.
    private const double MostRows = 600;

    [Fact]
    public async Task Deep_pages_read_as_few_rows_as_the_first_whatever_the_filters_are()
    {
        // A quarter of a million of each: ten days, four topics; one key in ten has all topics, errors are of three services.
        await postgres.RunAsync(Rows.Messages(250_000, 100));
        await postgres.RunAsync("""
            INSERT INTO user_activities SELECT gen_random_uuid(), 'user-' || g % 10, 'action-' || g % 3, NULL, NULL, NULL, NULL,
              timestamptz '2026-03-01Z' + g * interval '3 s', now() FROM generate_series(0, 249999) g;
            INSERT INTO system_metrics SELECT gen_random_uuid(), 'metric-' || g % 4, g, NULL, NULL,
              timestamptz '2026-03-01Z' + g * interval '3 s', now() FROM generate_series(0, 249999) g;
            INSERT INTO error_logs SELECT gen_random_uuid(), 'service-' || g % 3, 'e', 'm', NULL, NULL,
              CASE WHEN g % 1000 = 0 THEN 'critical' ELSE 'error' END,
              g % 500 <> 0, NULL, timestamptz '2026-03-01Z' + g * interval '3 s', now() FROM generate_series(0, 249999) g;
            ANALYZE;
            """);
        foreach ((QueryTable table, string[] values) in new[]
        {
            (QueryTable.Messages, new[] { "user-activities", "user-5" }), (QueryTable.UserActivities, ["user-7", "action-1"]),
            (QueryTable.Metrics, ["metric-2"]), (QueryTable.Errors, ["service-1", "critical", "true"]),
            (QueryTable.Errors, ["service-1", "error", "false"]),
        })
        {
            for (int chosen = 0; chosen < 1 << values.Length; chosen++)
            {
                AskedFilter[] filters = [.. table.Filters.Zip(values, (filter, value) => new AskedFilter(filter, value))
                    .Where((_, i) => (chosen >> i & 1) != 0)];
                await CheckAsync(new RowQuery(table, filters) { Limit = Limit });
            }
        }
    }

    private async Task CheckAsync(RowQuery query)
    {
        await using var connection = new NpgsqlConnection(
            QueryDatabase.Settings(postgres.ConnectionString, new TopicsOptions()));
        await connection.OpenAsync();
        string name = $"{query.Table.Name} {string.Join(' ', query.Filters.Select(asked => asked.Filter.Parameter + "=" + asked.Text))}";
        List<object> middle = [];
        await using (var find = new NpgsqlCommand(
            $"SELECT {string.Join(", ", query.Table.OrderSql)} FROM {query.Table.Name} WHERE \"timestamp\" < '2026-03-05T12:00:00Z' "
                + $"ORDER BY {string.Join(", ", query.Table.OrderSql.Select(column => column + " DESC"))} LIMIT 1", connection))
        await using (NpgsqlDataReader row = await find.ExecuteReaderAsync())
        {
            Assert.True(await row.ReadAsync());
            middle.AddRange(query.Table.Order.Select((column, i) => RowJson.Read(row, i, query.Table.Columns[column].Kind)));
        }

        double first = await ReadAsync(query, null, connection);
        double deep = await ReadAsync(query with { After = middle }, ((DateTime)middle[0]).AddDays(-1), connection); // as RowReader asks first
        double all = await ReadAsync(query with { After = middle }, null, connection);
        output.WriteLine($"{name}: {first} rows, deep {deep}, without a window {all}");
        Assert.True(first <= MostRows && deep <= MostRows, $"{name}: page 1 read {first} rows, a deep one {deep}");
    }

    // Rows that the plan's scans gave or threw away.
    private static async Task<double> ReadAsync(RowQuery query, DateTime? since, NpgsqlConnection connection)
    {
        await using NpgsqlCommand command = RowSql.Page(query, since, connection);
        command.CommandText = "EXPLAIN (ANALYZE, FORMAT JSON) " + command.CommandText;
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
        return RowsOf(plan.RootElement[0].GetProperty("Plan"));
    }

    private static double RowsOf(JsonElement node)
    {
        double own = 0;
        if (node.GetProperty("Node Type").GetString()!.Contains("Scan", StringComparison.Ordinal))
        {
            double thrown = node.TryGetProperty("Rows Removed by Filter", out JsonElement removed) ? removed.GetDouble() : 0;
            own = (node.GetProperty("Actual Rows").GetDouble() + thrown) * node.GetProperty("Actual Loops").GetDouble();
        }

        return own + (node.TryGetProperty("Plans", out JsonElement plans) ? plans.EnumerateArray().Sum(RowsOf) : 0);
    }
}
