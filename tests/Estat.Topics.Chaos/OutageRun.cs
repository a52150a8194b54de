// PostgreSQL is away for long, at a steady rate: memory, answers, and how fast it is made up for.
using System.Diagnostics;
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>Nothing else happens. What is measured is compared with another part of the same run.</summary>
/// <param name="options">Rate and producers.</param>
/// <param name="outage">For how long.</param>
/// <param name="output">Progress.</param>
internal sealed class OutageRun(OracleOptions options, TimeSpan outage, TextWriter output) : IAsyncDisposable
{
    private const double MostMemory = 1.2;
    private const double MostSlowness = 1.5;
    private const int MostCopied = 500_000;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(60);

    private readonly Complaints _complaints = new();
    private readonly List<(TimeSpan At, long Bytes)> _memory = [];
    private PostgresServer? _postgres;
    private Node? _node;
    private Senders? _senders;

    internal async Task<IReadOnlyList<string>> RunAsync()
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Rate} messages/s by {options.Producers} producers, PostgreSQL away for {outage.TotalMinutes:0.#} min, seed {options.Seed}"));
        _postgres = await PostgresServer.StartAsync("max_wal_size=4GB");
        string database = await _postgres.CreateDatabaseAsync();
        string address = _postgres.ConnectionString(database);
        _node = new Node(address, "168h", 100L << 30, 5_000);
        await _node.StartAsync();
        _senders = new Senders(options, _node.Address);
        _senders.Start();
        await _senders.DuringAsync(Wait.UntilAsync(
            async () => await Readings.StoredAsync(address) > 0, Patience, "the first messages to be stored"));
        await Task.Delay(TimeSpan.FromSeconds(10)); // the first requests compile
        long before = Stopwatch.GetTimestamp();
        await PassAsync(Minute < outage ? Minute : outage, null);
        long away = Stopwatch.GetTimestamp();
        await _postgres.StopAsync();
        await PassAsync(outage, _memory);
        long back = Stopwatch.GetTimestamp();
        await _postgres.StartAgainAsync();
        (double drained, TimeSpan took, long told) = await DrainAsync(address);
        await _senders.StopAsync(Patience);
        await OracleRun.UntilStoredAsync(_node, address, options.Patience);
        Reading reading = await Readings.ReadAsync(address, _node.Server.Client);
        var judge = new Judge(_senders.Sent, reading, _complaints);
        judge.Find();
        foreach (string fault in _senders.Counts.Faults)
        {
            _complaints.Add("an answer was wrong", fault);
        }

        JudgeMemory();
        JudgeAnswers(before, away, back);
        double copied = await CopyAsync(database);
        OracleRun.Tell(output, _senders, reading, judge, _senders.Counts.Told / _senders.Took.TotalSeconds);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"drained {drained:0} messages in {took.TotalSeconds:0.0} s while {told} more came: {drained / took.TotalSeconds:0}/s; ")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"psql's COPY of such rows into the same tables: {copied:0}/s; ratio {drained / took.TotalSeconds / copied:0.00}"));
        return _complaints.All;
    }

    public async ValueTask DisposeAsync()
    {
        _senders?.Dispose();
        await (_node?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private async Task PassAsync(TimeSpan time, List<(TimeSpan At, long Bytes)>? memory)
    {
        var clock = Stopwatch.StartNew();
        long told = _senders!.Counts.Told;
        TimeSpan shown = TimeSpan.Zero;
        while (clock.Elapsed < time)
        {
            await _senders.DuringAsync(Task.Delay(TimeSpan.FromSeconds(1)));
            memory?.Add((clock.Elapsed, _node!.Server.ResidentBytes));
            if (clock.Elapsed - shown >= TimeSpan.FromSeconds(20))
            {
                shown = clock.Elapsed;
                double rate = (_senders.Counts.Told - told) / clock.Elapsed.TotalSeconds;
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(memory is null ? "before" : "away")} {clock.Elapsed.TotalSeconds,4:0} s: {rate:0} messages/s, ")
                    + $"{_node!.Server.ResidentBytes >> 20} MiB of memory");
            }
        }
    }

    // From the moment at which PostgreSQL is back until the sink is at the log's end, which moves on meanwhile.
    private async Task<(double Stored, TimeSpan Took, long Told)> DrainAsync(string address)
    {
        long told = _senders!.Counts.Told;
        long first = await Readings.StoredAsync(address) ?? 0;
        var clock = Stopwatch.StartNew();
        long stored = first;
        TimeSpan shown = TimeSpan.Zero;
        await _senders.DuringAsync(Wait.UntilAsync(
            async () =>
            {
                IReadOnlyDictionary<string, double> metrics = await _node!.Server.MetricsAsync();
                stored = await Readings.StoredAsync(address) ?? stored;
                if (clock.Elapsed - shown >= TimeSpan.FromSeconds(10))
                {
                    shown = clock.Elapsed;
                    output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"back {clock.Elapsed.TotalSeconds,4:0} s: {(stored - first) / clock.Elapsed.TotalSeconds:0} messages/s stored, "
                        + $"{Watch.Sum(metrics, "estat_topics_lag")} wait"));
                }

                // Less than a quarter of a second's messages is what is always on its way.
                return metrics["estat_topics_sink_state{state=\"running\"}"] == 1
                    && Watch.Sum(metrics, "estat_topics_produced") - stored < Math.Max(100, options.Rate / 4);
            },
            Patience, "the sink to make up for the outage", () => $"{stored} stored"));
        return (stored - first, clock.Elapsed, _senders.Counts.Told - told);
    }

    private void JudgeMemory()
    {
        TimeSpan part = outage < 2 * Minute ? outage / 2 : Minute;
        long second = _memory.Where(at => at.At > part && at.At <= 2 * part).Max(at => at.Bytes);
        long last = _memory.Where(at => at.At > outage - part).Max(at => at.Bytes);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory while PostgreSQL was away: {_memory[0].Bytes >> 20} MiB at once, {second >> 20} MiB in the second minute, ")
            + string.Create(CultureInfo.InvariantCulture, $"{last >> 20} MiB in the last one ({(double)last / second:0.00})"));
        if (last > MostMemory * second)
        {
            _complaints.Add("memory grows with the lag", $"{second >> 20} MiB became {last >> 20} MiB");
        }
    }

    private void JudgeAnswers(long before, long away, long back)
    {
        long since = Math.Max(away, back - (long)(Math.Min(2 * Minute.TotalSeconds, outage.TotalSeconds / 2) * Stopwatch.Frequency));
        (TimeSpan first, TimeSpan last) = (P99(before, away), P99(since, back));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"p99 of 200s: {first.TotalMilliseconds:0.0} ms before, {last.TotalMilliseconds:0.0} ms in the last minutes "
            + $"({last / first:0.00})"));
        if (last > MostSlowness * first)
        {
            _complaints.Add("answers become slow", $"p99 was {first.TotalMilliseconds:0.0} ms, and became {last.TotalMilliseconds:0.0} ms");
        }
    }

    private TimeSpan P99(long from, long to)
    {
        TimeSpan[] all = [.. _senders!.Answers.Where(answer => answer.At >= from && answer.At < to).Select(answer => answer.Took).Order()];
        return all.Length == 0 ? TimeSpan.Zero : all[(int)(all.Length * 0.99)];
    }

    // The rows that the sink has stored, out and in again by psql: tables, indexes and partitions are the same.
    private async Task<double> CopyAsync(string database)
    {
        using var folder = new TempFolder();
        string[] tables = ["messages", "user_activities", "system_metrics", "error_logs"];
        string[] oldest =
        [
            $"CREATE TABLE copied AS SELECT id FROM messages ORDER BY \"timestamp\" LIMIT {MostCopied}",
            "CREATE UNIQUE INDEX ON copied (id)", "ANALYZE copied",
        ];
        await PsqlAsync(database, [.. oldest, .. tables.Select(
            table => $"\\copy (SELECT * FROM {table} WHERE id IN (SELECT id FROM copied)) TO '{folder[table]}' (FORMAT binary)")]);
        await PsqlAsync(database, [.. tables.SelectMany(table => new[]
        {
            $"CREATE TABLE copy_{table} (LIKE {table} INCLUDING ALL) PARTITION BY RANGE (\"timestamp\")",
            $"CREATE TABLE copy_{table}_default PARTITION OF copy_{table} DEFAULT",
        })]);
        var clock = Stopwatch.StartNew();
        await PsqlAsync(database, [.. tables.Select(table => $"\\copy copy_{table} FROM '{folder[table]}' (FORMAT binary)")]);
        TimeSpan took = clock.Elapsed;
        string count = await _postgres!.QueryAsync(database, "SELECT count(*) FROM copy_messages");
        return long.Parse(count, CultureInfo.InvariantCulture) / took.TotalSeconds;
    }

    private Task<string> PsqlAsync(string database, string[] commands) => Command.SucceedAsync(
        Patience, PostgresServer.Tool("psql"),
        [
            "-h", "127.0.0.1", "-p", _postgres!.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", database, "-X", "-q", "-1", "-v",
            "ON_ERROR_STOP=1", .. commands.SelectMany(command => new[] { "-c", command }),
        ]);
}
