// What /metrics says is what Prometheus can read, and is right.
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Estat.Base.Acks;
using Estat.Base.Metrics;

namespace Estat.Collect.Tests.Metrics;

public sealed partial class PrometheusTextTests : IDisposable
{
    // The names that the Go original had.
    private static readonly string[] Seed =
    [
        "http_requests_total", "http_requests_accepted_total", "http_requests_rejected_body_too_large_total",
        "http_requests_rejected_queue_full_total",
        "s3_events_stored_total", "s3_put_errors_total", "dlq_events_enqueued_total", "dlq_events_reuploaded_total", "dlq_events_dropped_total",
        "dlq_files_expired_total", "dlq_files_current", "dlq_size_bytes",
    ];

    private readonly Meter _meter = new("test");
    private readonly PrometheusText _metrics;

    public PrometheusTextTests() => _metrics = new PrometheusText(_meter);

    public void Dispose()
    {
        _metrics.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task A_node_s_metrics_are_valid_exposition()
    {
        using var folder = new TempFolder();
        await using TestNode node = new TestNode(folder).Start();
        await node.SendAsync(EventLines.Bodies(10));
        Assert.True((await node.AskAsync("in memory", AckLevel.Memory)).IsAccepted);
        node.Engine.Instruments.OnUploadEnded(TimeSpan.FromMilliseconds(3), succeeded: true);
        node.Engine.Instruments.OnUploadEnded(TimeSpan.FromSeconds(3), succeeded: false);
        HashSet<string> series = Parse(node.Metrics.Write());
        Assert.All(Seed, name => Assert.Contains(name, series));
        Assert.Contains(series, name => name.StartsWith("dotnet_", StringComparison.Ordinal));
        Assert.Contains("estat_upload_duration_seconds_bucket{outcome=\"failed\",le=\"+Inf\"}", series);
        Assert.Equal(11, node.Metrics.Value("http_requests_accepted_total"));
        Assert.Equal(10, node.Metrics.Value("estat_events{place=\"spooled\"}"));
        Assert.Equal(1, node.Metrics.Value("estat_events{place=\"buffered\"}"));
    }

    [Fact]
    public void Buckets_are_cumulative_and_end_with_all()
    {
        Histogram<double> histogram = _meter.CreateHistogram(
            "wait_seconds", "s", "Wait", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] });
        foreach (double value in new[] { 0.05, 0.1, 0.5, 5, 50, 500 })
        {
            histogram.Record(value, new KeyValuePair<string, object?>("kind", "a"));
        }

        (string Le, double Count)[] expected = [("0.1", 2), ("1", 3), ("10", 4), ("+Inf", 6)];
        Assert.All(expected, bucket => Assert.Equal(bucket.Count, _metrics.Value($"wait_seconds_bucket{{kind=\"a\",le=\"{bucket.Le}\"}}")));
        Assert.Equal(6, _metrics.Value("wait_seconds_count{kind=\"a\"}"));
        Assert.Equal(555.65, _metrics.Value("wait_seconds_sum{kind=\"a\"}"), 9);
    }

    [Fact]
    public void Label_values_are_escaped()
    {
        Counter<long> counter = _meter.CreateCounter<long>("odd_total");
        counter.Add(1, new KeyValuePair<string, object?>("the.key", "a\\b\"c\nd"));
        Assert.Contains("odd_total{the_key=\"a\\\\b\\\"c\\nd\"} 1\n", _metrics.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Help_is_one_line_with_its_backslashes_escaped()
    {
        _meter.CreateCounter<long>("odd_total", description: "C:\\new\r\nline");
        Assert.Contains("# HELP odd_total C:\\\\new line\n", _metrics.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Observed_counters_are_not_doubled_by_a_second_scrape()
    {
        long value = 7;
        _meter.CreateObservableCounter("observed_total", () => value);
        Counter<long> recorded = _meter.CreateCounter<long>("recorded_total");
        UpDownCounter<int> level = _meter.CreateUpDownCounter<int>("level");
        recorded.Add(3);
        level.Add(5);
        level.Add(-2);
        Assert.Equal((7, 3, 3), (_metrics.Value("observed_total"), _metrics.Value("recorded_total"), _metrics.Value("level")));
        value = 8;
        recorded.Add(1);
        Assert.Equal((8, 4, 3), (_metrics.Value("observed_total"), _metrics.Value("recorded_total"), _metrics.Value("level")));
    }

    [Fact]
    public void Names_become_what_Prometheus_allows()
    {
        _meter.CreateObservableGauge("process.memory-usage", () => 1.5);
        _meter.CreateCounter<long>("my.requests").Add(2);
        Assert.Equal((1.5, 2), (_metrics.Value("process_memory_usage"), _metrics.Value("my_requests_total")));
    }

    [Fact]
    public void Another_node_s_instruments_are_not_mixed_in()
    {
        using var other = new Meter("test");
        other.CreateCounter<long>("theirs_total").Add(1);
        Assert.DoesNotContain("theirs", _metrics.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recording_and_scraping_may_happen_at_once()
    {
        Counter<long> counter = _meter.CreateCounter<long>("busy_total");
        Task all = Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("thread", n));
            }
        })));
        while (!all.IsCompleted)
        {
            _metrics.Write();
        }

        await all;
        Assert.All(Enumerable.Range(0, 4),
            n => Assert.Equal(20_000, _metrics.Value(string.Create(CultureInfo.InvariantCulture, $"busy_total{{thread=\"{n}\"}}"))));
    }

    // The series of a text in format 0.0.4. Fails where Prometheus would refuse it.
    private static HashSet<string> Parse(string text)
    {
        var types = new Dictionary<string, string>();
        var series = new HashSet<string>();
        string family = "";
        string[] lines = text.Split('\n');
        Assert.Equal("", lines[^1]);
        foreach (string line in lines[..^1])
        {
            string[] words = line.Split(' ');
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                family = words[2];
                Assert.False(types.ContainsKey(family), $"{family} stands there twice");
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.Equal(family, words[2]);
                Assert.Contains(words[3], new[] { "counter", "gauge", "histogram" });
                types.Add(family, words[3]);
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                string name = sample.Groups["name"].Value;
                Assert.Equal(family, types[family] == "histogram" ? HistogramPart().Replace(name, "") : name);
                Assert.True(types[family] != "counter" || name.EndsWith("_total", StringComparison.Ordinal), $"{name} is a counter");
                Assert.True(series.Add(name + sample.Groups["labels"].Value), $"{line} stands there twice");
            }
        }

        return series;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)+\})? -?([0-9.]+([eE][+-]?[0-9]+)?|Infinity|NaN)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();
}
