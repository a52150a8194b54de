// From the 200 to the row that SELECT sees, at 2,000 messages a second, beside a bare INSERT into the same table.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;
using Npgsql;

namespace Estat.Bench.Topics;

/// <summary>Every hundredth message is watched, each sender's at another time, by connections that are open; the first seconds do not count: in them
/// methods are compiled, also those of the bench.</summary>
internal static class VisibleTurns
{
    private const int Rate = 2_000;
    private const int Watched = 100;
    private const int Senders = 16;
    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(5);
    private static readonly IReadOnlyList<Column> Columns = [new(Metric.P50, "ms, median", 1), new(Metric.P99, "ms, 99 %", 1)];

    internal static async Task<Section> RunAsync(string part, PostgresServer server, SuiteContext context)
    {
        string database = await server.CreateDatabaseAsync();
        await using EstatNode node = await EstatNode.StandaloneAsync(
            context.FolderOf("topics-visible"), ("SERVE", "topics"), ("TOPICS_DIR", context.FolderOf("topics-visible-log")),
            ("TOPICS_DATABASE", server.ConnectionString(database)));
        await TopicsPart.UntilTablesAsync(node);
        context.Say($"{part}: {Rate:N0} messages a second, watched until SELECT sees them");
        TimeSpan duration = TimeSpan.FromSeconds(Math.Max(10, 2 * context.Options.Turn.TotalSeconds));
        string watchers = server.ConnectionString(database) + $";Pooling=true;Minimum Pool Size={Senders};Maximum Pool Size=20";
        await OpenAsync(watchers);
        Row visible = Row.Of("from 200 to SELECT", [Percentiles(await WatchAsync(node, watchers, Beginning + duration))]);
        Row bare = Row.Of("a bare INSERT of one row", [Percentiles(await InsertAsync(server.ConnectionString(database), duration))]);
        double limit = Math.Max(100, 3 * bare.Medians[Metric.P99]);
        return new Section(
            part, $"Topics: seen in PostgreSQL, {Rate:N0} messages/s", Columns, [visible, bare],
            [string.Create(CultureInfo.InvariantCulture, $"{visible.Medians[Metric.P99]:0} ms at 99 %: at most {limit:0}")]);
    }

    private static async Task<List<double>> WatchAsync(EstatNode node, string connectionString, TimeSpan duration)
    {
        using var client = new HttpClient { BaseAddress = node.Address };
        List<double> seen = [];
        List<Task> watching = [];
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(async sender =>
        {
            for (int number = 0; Stopwatch.GetElapsedTime(began) < duration; number++)
            {
                TimeSpan due = TimeSpan.FromSeconds(number * (double)Senders / Rate);
                if (due - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } early)
                {
                    await Task.Delay(early);
                }

                using var content = new StringContent(TopicBodies.Activity((sender * 1_000_000) + number), Encoding.UTF8, "application/json");
                using HttpResponseMessage answer = await client.PostAsync(new Uri("/api/produce/user-activity", UriKind.Relative), content);
                long answered = Stopwatch.GetTimestamp();
                if ((number + (sender * Watched / Senders)) % Watched == 0 && Stopwatch.GetElapsedTime(began) > Beginning)
                {
                    using JsonDocument position = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
                    Task watch = SeeAsync(
                        connectionString, position.RootElement.GetProperty("partition").GetInt32(),
                        position.RootElement.GetProperty("offset").GetInt64(),
                        answered, seen);
                    lock (watching)
                    {
                        watching.Add(watch);
                    }
                }
            }
        }));
        await Task.WhenAll(watching);
        return seen;
    }

    // All of them at once, so that each is a connection of its own.
    private static async Task OpenAsync(string connectionString)
    {
        NpgsqlConnection[] connections = [.. Enumerable.Range(0, Senders).Select(_ => new NpgsqlConnection(connectionString))];
        await Task.WhenAll(connections.Select(connection => connection.OpenAsync()));
        foreach (NpgsqlConnection connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task SeeAsync(string connectionString, int partition, long offset, long answered, List<double> seen)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT 1 FROM messages WHERE topic = 'user-activities' AND \"partition\" = $1 AND \"offset\" = $2", connection)
        {
            Parameters = { new() { Value = partition }, new() { Value = offset } },
        };
        await Wait.UntilAsync(
            async () => await command.ExecuteScalarAsync() is not null, TimeSpan.FromSeconds(60), "a message to be seen in PostgreSQL");
        lock (seen)
        {
            seen.Add(Stopwatch.GetElapsedTime(answered).TotalMilliseconds);
        }
    }

    private static async Task<List<double>> InsertAsync(string connectionString, TimeSpan duration)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "INSERT INTO messages (id, topic, \"partition\", \"offset\", key, value, headers, \"timestamp\") "
                + "VALUES (gen_random_uuid(), 'single', 0, $1, 'user', $2::jsonb, '{}'::jsonb, now())", connection);
        List<double> took = [];
        long began = Stopwatch.GetTimestamp();
        for (long number = 0; Stopwatch.GetElapsedTime(began) < duration / 2; number++)
        {
            command.Parameters.Clear();
            command.Parameters.Add(new() { Value = number });
            command.Parameters.Add(new() { Value = TopicBodies.Activity((int)number) });
            long at = Stopwatch.GetTimestamp();
            await command.ExecuteNonQueryAsync();
            took.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
        }

        return took;
    }

    private static Dictionary<string, double> Percentiles(List<double> times)
    {
        times.Sort();
        return new Dictionary<string, double>
        {
            [Metric.P50] = times[times.Count / 2], [Metric.P99] = times[Math.Min(times.Count - 1, times.Count * 99 / 100)],
        };
    }
}
