// How fast the sink stores, beside psql's own COPY of the same rows into the same tables. Run by name: it is no test of right and wrong.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Estat.Topics.Tests.Postgres;

namespace Estat.Topics.Tests.Sink;

public sealed class SinkSpeed(SharedPostgres postgres, ITestOutputHelper output)
{
    private const int Messages = 500_000;
    private const int Batch = 5_000;

    [Theory(Explicit = true)]
    [InlineData("orders")]
    [InlineData(BuiltInTopic.SystemMetrics)]
    public async Task The_sink_against_copy(string topic)
    {
        var log = new MemoryLog().Topic(topic, 3);
        for (var index = 0; index < Messages; index++)
        {
            log.Add(topic, string.Create(CultureInfo.InvariantCulture, $"key-{index % 10_000}"), Value(index), index % 3);
        }

        await using var rig = await SinkRig.CreateAsync(postgres.Server, log);
        rig.Options = rig.Options with { Batch = Batch };
        var watch = Stopwatch.StartNew();
        rig.Start();
        await Wait.UntilAsync(() => rig.Sink.Counters.Messages.Value == Messages, TimeSpan.FromMinutes(5), "the sink");
        var sink = watch.Elapsed;
        var median = rig.Sink.Counters.Seconds.Read(TimeSpan.FromMinutes(5)).P50;
        output.WriteLine($"{topic}: sink {Messages / sink.TotalSeconds:n0} rows/s, {rig.Sink.Counters.Batches.Value} batches, p50 {median:n1} ms");
        await rig.StopAsync();

        using var folder = new TempFolder();
        string[] tables = topic == "orders" ? ["messages"] : ["messages", "system_metrics"];
        var copies = string.Join('\n', tables.Select((table, index) => $"\\copy (SELECT * FROM {table} ORDER BY timestamp) TO '{folder[table]}'"));
        await RunAsync(rig, folder, copies);
        // In transactions of as many rows as the sink's: the same number of syncs.
        var parts = 0;
        var script = new StringBuilder();
        var files = tables.Select(table => File.ReadLines(folder[table]).Chunk(Batch).ToArray()).ToArray();
        for (; parts < files[0].Length; parts++)
        {
            script.AppendLine("BEGIN;");
            for (var table = 0; table < tables.Length; table++)
            {
                var part = folder[$"{tables[table]}.{parts}"];
                await File.WriteAllLinesAsync(part, files[table][parts]);
                script.AppendLine($"\\copy {tables[table]} FROM '{part}'");
            }

            script.AppendLine("COMMIT;");
        }

        await rig.QueryAsync($"TRUNCATE {string.Join(',', tables)}");
        await rig.QueryAsync("CHECKPOINT");
        watch.Restart();
        await RunAsync(rig, folder, script.ToString());
        var batches = watch.Elapsed;
        await rig.QueryAsync($"TRUNCATE {string.Join(',', tables)}");
        await rig.QueryAsync("CHECKPOINT");
        watch.Restart();
        await RunAsync(rig, folder, string.Join('\n', tables.Select(table => $"\\copy {table} FROM '{folder[table]}'")));
        var whole = watch.Elapsed;
        output.WriteLine(
            $"{topic}: psql in batches {Messages / batches.TotalSeconds:n0} rows/s ({batches / sink:n2}), "
            + $"in one {Messages / whole.TotalSeconds:n0} rows/s ({whole / sink:n2})");
    }

    private static string Value(int index) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        {"metricName":"cpu.load.{{index % 100}}","value":{{index % 1000}}.5,"unit":"percent","tags":{"host":"node-{{index % 50}}",
        "region":"ap-northeast-2","service":"gateway"},"timestamp":"2026-11-30T12:00:00.000Z","note":"aaaaaaaaaaaaaaaaaaa"}
        """);

    private async Task RunAsync(SinkRig rig, TempFolder folder, string script)
    {
        var file = folder["script.sql"];
        await File.WriteAllTextAsync(file, script);
        await Command.SucceedAsync(
            TimeSpan.FromMinutes(5), PostgresServer.Tool("psql"), "-h", "127.0.0.1", "-p",
            postgres.Server.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", rig.Database, "-X",
            "-q", "-v", "ON_ERROR_STOP=1", "-f", file);
    }
}
