// What must hold at every moment, by the server's own account.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Estat.Topics.Chaos;

/// <summary>Looks twice a second, as often as the server answers.</summary>
/// <param name="node">The server.</param>
/// <param name="complaints">What is broken.</param>
internal sealed class Watch(Node node, Complaints complaints)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    /// <summary>How often it has looked.</summary>
    internal int Looks { get; private set; }

    /// <summary>Messages that wait, as far as the server knows.</summary>
    internal double Lag { get; private set; }

    /// <summary>The most messages that waited.</summary>
    internal double MostLag { get; private set; }

    internal static double Sum(IReadOnlyDictionary<string, double> metrics, string name) =>
        metrics.Where(metric => metric.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(metric => metric.Value);

    /// <summary>Looks until it is told to stop.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await LookAsync(node.Server, stopping);
                Looks++;
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException
                or InvalidOperationException)
            {
                // It was killed just now.
            }

            await Task.Delay(Between, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(ServerProcess server, CancellationToken stopping)
    {
        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        double lag = Lag = Sum(metrics, "estat_topics_lag");
        MostLag = Math.Max(MostLag, lag);
        double stored = metrics["estat_topics_stored_total"] + metrics["estat_topics_dead_letters_total{kind=\"message\"}"];
        if (metrics["estat_topics_expired_total"] > 0)
        {
            complaints.Add("the log deleted what was not stored", $"estat_topics_expired_total is {metrics["estat_topics_expired_total"]}");
        }

        // Read later: while one scrape is made, more is produced.
        double produced = Sum(await server.MetricsAsync(), "estat_topics_produced");
        if (lag + stored > produced)
        {
            complaints.Add("more was stored than was produced", $"{produced} produced, {stored} stored by this process, {lag} wait");
        }

        foreach (string topic in SentMessages.Topics)
        {
            using JsonDocument json = JsonDocument.Parse(
                await server.Client.GetByteArrayAsync(new Uri("/api/topics/" + topic, UriKind.Relative), stopping));
            foreach (JsonElement partition in json.RootElement.GetProperty("data").GetProperty("partitions").EnumerateArray())
            {
                if (partition.GetProperty("storedOffset").ValueKind == JsonValueKind.Null)
                {
                    continue;
                }

                (long start, long storedUpTo) = (Readings.LongOf(partition, "startOffset"), Readings.LongOf(partition, "storedOffset"));
                if (start > storedUpTo)
                {
                    complaints.Add("the log deleted what was not stored", string.Create(
                        CultureInfo.InvariantCulture,
                        $"{topic}/{partition.GetProperty("partition").GetInt32()} begins at {start}, and is stored up to {storedUpTo}"));
                }
            }
        }
    }
}

/// <summary>All producers of a run.</summary>
internal sealed class Senders : IDisposable
{
    private readonly Producer[] _producers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Stopwatch _clock = new();
    private Task _sending = Task.CompletedTask;

    internal Senders(OracleOptions options, Uri server)
    {
        Sent = new SentMessages(options.Producers);
        _producers = [.. Enumerable.Range(0, options.Producers).Select(number => new Producer(number, options, server, Sent, Counts))];
    }

    internal SentMessages Sent { get; }

    internal ProducerCounts Counts { get; } = new();

    internal TimeSpan Took => _clock.Elapsed;

    /// <summary>All answers with 200; only after <see cref="StopAsync"/>.</summary>
    internal IEnumerable<(long At, TimeSpan Took)> Answers => _producers.SelectMany(producer => producer.Answers);

    internal void Start()
    {
        _clock.Start();
        _sending = Task.WhenAll(_producers.Select(producer => Task.Run(() => producer.RunAsync(_stopping.Token))));
    }

    /// <summary>Returns once every request has its answer.</summary>
    /// <param name="patience">How long that may take.</param>
    /// <exception cref="TimeoutException">A producer has no answer: the run cannot be judged, and this is what is broken.</exception>
    internal async Task StopAsync(TimeSpan patience)
    {
        await _stopping.CancelAsync();
        try
        {
            await _sending.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(string.Create(
                CultureInfo.InvariantCulture, $"producers waited for answers for {patience.TotalSeconds:0} s after the trouble was over"));
        }

        _clock.Stop();
    }

    /// <summary>Ends a wait when a producer has failed.</summary>
    internal async Task DuringAsync(Task task) => await await Task.WhenAny(task, _sending);

    public void Dispose()
    {
        foreach (Producer producer in _producers)
        {
            producer.Dispose();
        }

        _stopping.Dispose();
    }
}
