// One run: producers send, everything is killed again and again, and in the end everything is read.
using System.Diagnostics;
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>Real processes, a real PostgreSQL, a real disk, SIGKILL.</summary>
internal sealed class OracleRun(OracleOptions options, TextWriter output) : IAsyncDisposable
{
    // The shortest that TOPICS_RETENTION allows; PostgreSQL is away for longer once, where the run is long enough for that.
    private static readonly TimeSpan Retention = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongOutage = Retention + TimeSpan.FromSeconds(20);
    private const int BytesOfMessage = 260;

    // More transactions, so more that are cut in a delicate moment.
    private const int SmallBatch = 1_000;

    private readonly Complaints _complaints = new();
    private PostgresServer? _postgres;
    private FaultProxy? _proxy;
    private Node? _node;
    private Senders? _senders;

    /// <summary>Runs it.</summary>
    /// <returns>What is broken.</returns>
    internal async Task<IReadOnlyList<string>> RunAsync()
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Rate} messages/s by {options.Producers} producers for {options.Duration.TotalSeconds} s, seed {options.Seed}"));
        _postgres = await PostgresServer.StartAsync();
        string database = await _postgres.CreateDatabaseAsync();
        _proxy = FaultProxy.Start(_postgres.Port);
        // About twice what is kept without an outage: a long one fills the log, and producers are refused.
        long mostBytes = Math.Max(64L << 20, (long)options.Rate * BytesOfMessage * (long)(2 * Node.Dedup.TotalSeconds));
        _node = new Node(_postgres.ConnectionString(database, _proxy.Port), "1m", mostBytes, SmallBatch);
        await _node.StartAsync();
        _senders = new Senders(options, _node.Address);
        var watch = new Watch(_node, _complaints);
        using var watching = new CancellationTokenSource();
        _senders.Start();
        await _senders.DuringAsync(Wait.UntilAsync(
            async () => await Readings.StoredAsync(_postgres.ConnectionString(database)) > 0, options.Patience, "the first messages to be stored"));
        Task watched = watch.RunAsync(watching.Token);
        using var trouble = new Trouble(
            options, _node, _postgres, database, _proxy, options.Duration > 2 * LongOutage ? LongOutage : null, output);
        await TroubleAsync(trouble, watch);
        await _senders.StopAsync(options.Patience);
        double rate = _senders.Counts.Told / _senders.Took.TotalSeconds;
        var clock = Stopwatch.StartNew();
        IReadOnlyDictionary<string, double> metrics = await UntilStoredAsync(_node, _postgres.ConnectionString(database), options.Patience);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"everything is stored {clock.Elapsed.TotalSeconds:0.0} s after the last message"));
        await watching.CancelAsync();
        await watched;
        clock.Restart();
        Reading reading = await Readings.ReadAsync(_postgres.ConnectionString(database), _node.Server.Client);
        CheckConservation(metrics, reading);
        Sabotage.Do(options.Sabotage, reading);
        var judge = new Judge(_senders.Sent, reading, _complaints);
        judge.Find();
        foreach (string fault in trouble.Faults.Concat(_senders.Counts.Faults))
        {
            _complaints.Add("an answer or an end was wrong", fault);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"audited in {clock.Elapsed.TotalSeconds:0.0} s"));
        output.WriteLine($"{trouble.Summary}; seen {watch.Looks} times, at most {watch.MostLag} messages waited");
        Tell(output, _senders, reading, judge, rate);
        return _complaints.All;
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            string folder = Path.Combine(Repository.Root, "artifacts", "chaos");
            Directory.CreateDirectory(folder);
            string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"topics-{options.Seed}.log"));
            await File.WriteAllLinesAsync(file, _node.Output);
            output.WriteLine($"what the server printed is in {file}");
        }

        _senders?.Dispose();
        await (_node?.DisposeAsync() ?? ValueTask.CompletedTask);
        _proxy?.Dispose();
        await (_postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>Waits until the database has everything that the log has.</summary>
    /// <returns>The metrics of that moment.</returns>
    internal static async Task<IReadOnlyDictionary<string, double>> UntilStoredAsync(Node node, string database, TimeSpan patience)
    {
        IReadOnlyDictionary<string, double> metrics = new Dictionary<string, double>();
        long? stored = null;
        await Wait.UntilAsync(
            async () =>
            {
                metrics = await node.Server.MetricsAsync();
                stored = await Readings.StoredAsync(database);
                return Watch.Sum(metrics, "estat_topics_lag") == 0 && metrics["estat_topics_sink_state{state=\"running\"}"] == 1
                    && stored == (long)Watch.Sum(metrics, "estat_topics_produced");
            },
            patience, "the lag to be 0",
            () => string.Create(
                CultureInfo.InvariantCulture,
                $"{Watch.Sum(metrics, "estat_topics_produced")} produced, a lag of {Watch.Sum(metrics, "estat_topics_lag")}, ")
                + $"{stored} in consumer_offsets; " + string.Join('\n', node.Output.TakeLast(5)));
        return metrics;
    }

    internal static void Tell(TextWriter output, Senders senders, Reading reading, Judge judge, double rate)
    {
        ProducerCounts counts = senders.Counts;
        long deleted = reading.Bounds.Values.Sum(bounds => bounds.Start);
        int letters = reading.Letters.Count(letter => letter.Kind == "message");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Messages} messages in {counts.Requests} HTTP requests; {counts.Told} told 200 ({rate:0}/s); ")
            + $"{counts.NotTaken} requests not taken, {counts.Perhaps} perhaps, {counts.Broken} without an answer, "
            + $"{counts.Repeats} repeated, {counts.Wrong} wrong");
        output.WriteLine(
            $"{reading.RowCount} rows, {reading.Typed.Values.Sum()} typed rows, {letters} dead letters, {reading.Letters.Count - letters} typed "
            + $"ones; of {counts.Unknown} messages that nobody knew of {judge.PerhapsFound} are there; the log has deleted {deleted} messages and "
            + $"still has {reading.Log.Values.Sum(log => log.Count)}");
    }

    private async Task TroubleAsync(Trouble trouble, Watch watch)
    {
        using var ending = new CancellationTokenSource(options.Duration);
        Task all = _senders!.DuringAsync(trouble.RunAsync(ending.Token));
        while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(10))) != all)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_senders.Took.TotalSeconds,6:0} s: {_senders.Counts.Told} told, ")
                + $"{watch.Lag} wait, {_senders.Counts.Broken} without an answer, {_senders.Counts.NotTaken} not taken, "
                + $"{_senders.Counts.Repeats} repeated");
        }

        await all;
        _proxy!.Fault = Fault.None;
    }

    // Of one scrape, and of what it says of the database.
    private void CheckConservation(IReadOnlyDictionary<string, double> metrics, Reading reading)
    {
        foreach (string topic in SentMessages.Topics)
        {
            double produced = metrics[$"estat_topics_produced{{topic=\"{topic}\"}}"];
            double lag = metrics[$"estat_topics_lag{{topic=\"{topic}\"}}"];
            int letters = reading.Letters.Count(letter => letter.Topic == topic && letter.Kind == "message");
            if (produced != reading.Rows[topic].Count + letters + lag)
            {
                _complaints.Add(
                    "messages are counted away",
                    $"{topic}: {produced} produced, {reading.Rows[topic].Count} stored, {letters} dead letters, {lag} wait");
            }
        }
    }
}

/// <summary>Tampers with the readings, to see the judge find it.</summary>
internal static class Sabotage
{
    internal static void Do(IReadOnlyList<string> kinds, Reading reading)
    {
        List<Found> rows = reading.Rows["notifications"];
        foreach (string kind in kinds)
        {
            switch (kind)
            {
                case "lose":
                    rows.RemoveAt(rows.Count / 2);
                    break;
                case "double":
                    rows.Add(rows[^1] with { Offset = rows[^1].Offset + 1 });
                    break;
                case "swap":
                    (int first, int second) = Neighbours(rows);
                    (Found one, Found other) = (rows[first], rows[second]);
                    (rows[first], rows[second]) = (one with { Serial = other.Serial }, other with { Serial = one.Serial });
                    break;
                case "bury":
                    reading.Letters.Add(new Letter(
                        "notifications", rows[0].Partition, rows[0].Offset, "message", "none", "open", rows[0].Stream, rows[0].Serial));
                    break;
                default:
                    throw new FormatException($"--sabotage {kind} is unknown");
            }
        }
    }

    // Two messages of one key.
    private static (int First, int Second) Neighbours(List<Found> rows)
    {
        int first = rows.FindIndex(row => row.Key is not null);
        return (first, rows.FindIndex(first + 1, row => row.Stream == rows[first].Stream));
    }
}
