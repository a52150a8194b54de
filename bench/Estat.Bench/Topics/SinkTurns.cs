// A backlog that is stored, beside psql's own COPY of the same rows into the same tables, and beside three autocommits a message.
using System.Diagnostics;
using System.Globalization;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;
using Npgsql;

namespace Estat.Bench.Topics;

/// <summary>A message of user-activities is two rows: one in messages, one in user_activities. Counted are messages.</summary>
internal static class SinkTurns
{
    private const int Messages = 400_000;
    private const string Tables = "messages user_activities";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);
    private static readonly IReadOnlyList<Column> Columns =
        [new(Metric.RowsPerSecond, "messages/s", 0), new(Metric.CpuMicros, "µs CPU of the node", 1), new(Metric.Resident, "MB resident", 0)];

    internal static async Task<IReadOnlyList<Section>> RunAsync(string part, PostgresServer server, SuiteContext context)
    {
        List<Dictionary<string, double>> stored = [], copied = [], single = [];
        int rounds = Math.Min(3, context.Options.Rounds);
        for (int round = 0; round < rounds; round++)
        {
            context.Say($"{part}: round {round + 1} of {rounds}: a backlog of {Messages:N0} messages");
            string database = await server.CreateDatabaseAsync();
            stored.Add(await StoreAsync(server, database, context, round));
            context.Say($"{part}: stored at {stored[^1][Metric.RowsPerSecond]:N0}/s; now COPY by psql");
            copied.Add(await CopyAsync(server, database, context));
            single.Add(await InsertAsync(server, database));
            context.Say($"{part}: COPY {copied[^1][Metric.RowsPerSecond]:N0}/s, three autocommits {single[^1][Metric.RowsPerSecond]:N0}/s");
            await server.QueryAsync("postgres", $"DROP DATABASE {database} WITH (FORCE)");
        }

        Row[] rows = [Row.Of("the sink", stored), Row.Of("psql's COPY of the same rows", copied), Row.Of("three autocommits a message", single)];
        double rate = rows[0].Medians[Metric.RowsPerSecond];
        return
        [
            new Section(part, "Topics: a backlog is stored", Columns, rows,
            [
                TopicsPart.Ratio(rate, rows[1].Medians[Metric.RowsPerSecond], "of psql's COPY: at least 0.5"),
                TopicsPart.Ratio(rate, rows[2].Medians[Metric.RowsPerSecond], "times three autocommits a message: at least 10"),
            ]),
        ];
    }

    private static async Task<Dictionary<string, double>> StoreAsync(PostgresServer server, string database, SuiteContext context, int round)
    {
        string folder = context.FolderOf(string.Create(CultureInfo.InvariantCulture, $"topics-sink-{round}"));
        string log = Path.Combine(folder, "log");
        await using (EstatNode producing = await EstatNode.StandaloneAsync(
            folder, ("SERVE", "topics"), ("TOPICS_SINK", "false"), ("TOPICS_DIR", log), ("TOPICS_PARTITIONS", "12")))
        {
            var wrk = new Wrk(TopicBodies.Lists(context.Folder, 100), 4);
            while (await producing.SumAsync("estat_topics_produced{topic=\"user-activities\"}") < Messages)
            {
                await wrk.RunAsync(producing.Address, TimeSpan.FromSeconds(1));
            }
        }

        long began = Stopwatch.GetTimestamp();
        await using EstatNode node = await EstatNode.StandaloneAsync(
            folder, ("SERVE", "topics"), ("TOPICS_DIR", log), ("TOPICS_DATABASE", server.ConnectionString(database)));
        double all = await node.SumAsync("estat_topics_produced{topic=\"user-activities\"}");
        await Wait.UntilAsync(
            async () => await node.SumAsync("estat_topics_stored_total") >= all, Patience, $"{all:N0} messages to be stored");
        TimeSpan took = Stopwatch.GetElapsedTime(began);
        return new Dictionary<string, double>
        {
            [Metric.RowsPerSecond] = all / took.TotalSeconds, [Metric.CpuMicros] = node.CpuTime.TotalMicroseconds / all,
            [Metric.Resident] = node.ResidentBytes / Metric.Megabyte,
        };
    }

    private static async Task<Dictionary<string, double>> CopyAsync(PostgresServer server, string database, SuiteContext context)
    {
        double rows = double.Parse(await server.QueryAsync(database, "SELECT count(*) FROM messages"), CultureInfo.InvariantCulture);
        foreach (string table in Tables.Split(' '))
        {
            await PsqlAsync(server, database, $"\\copy (SELECT * FROM {table}) TO '{Path.Combine(context.Folder, table + ".copy")}'");
        }

        await server.QueryAsync(database, $"TRUNCATE {Tables.Replace(' ', ',')}");
        await server.QueryAsync(database, "CHECKPOINT");
        long began = Stopwatch.GetTimestamp();
        foreach (string table in Tables.Split(' '))
        {
            await PsqlAsync(server, database, $"\\copy {table} FROM '{Path.Combine(context.Folder, table + ".copy")}'");
        }

        return new Dictionary<string, double> { [Metric.RowsPerSecond] = rows / Stopwatch.GetElapsedTime(began).TotalSeconds };
    }

    // As the system does it that this one replaces: one connection, one message after another.
    private static async Task<Dictionary<string, double>> InsertAsync(PostgresServer server, string database)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString(database));
        await connection.OpenAsync();
        await server.QueryAsync(
            database, "INSERT INTO topic_status (topic_name, partition_count, replication_factor) VALUES ('single', 1, 1) ON CONFLICT DO NOTHING");
        NpgsqlCommand[] commands =
        [
            new("INSERT INTO messages (id, topic, \"partition\", \"offset\", key, value, headers, \"timestamp\") "
                + "VALUES ($1, 'single', 0, $2, 'user', $3::jsonb, '{}'::jsonb, now())", connection),
            new("INSERT INTO user_activities (id, user_id, action, resource, metadata, \"timestamp\") "
                + "VALUES ($1, 'user', 'view', '/products/1', '{\"browser\":\"Chrome\"}'::jsonb, now())", connection),
            new("UPDATE topic_status SET message_count = message_count + 1, last_message_at = now() WHERE topic_name = 'single'", connection),
        ];
        long began = Stopwatch.GetTimestamp();
        int count = 0;
        for (; Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5); count++)
        {
            var id = Guid.NewGuid();
            for (int step = 0; step < commands.Length; step++)
            {
                commands[step].Parameters.Clear();
                if (step < 2)
                {
                    commands[step].Parameters.Add(new() { Value = id });
                }

                if (step == 0)
                {
                    commands[step].Parameters.Add(new() { Value = (long)count });
                    commands[step].Parameters.Add(new() { Value = TopicBodies.Activity(count) });
                }

                await commands[step].ExecuteNonQueryAsync();
            }
        }

        return new Dictionary<string, double> { [Metric.RowsPerSecond] = count / Stopwatch.GetElapsedTime(began).TotalSeconds };
    }

    private static Task<string> PsqlAsync(PostgresServer server, string database, string command) => Command.SucceedAsync(
        Patience, PostgresServer.Tool("psql"), "-h", "127.0.0.1", "-p", server.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d",
        database, "-c", command);
}
