// What /metrics says is what Prometheus can read, and is right.
using System.Diagnostics.Metrics;
using System.Globalization;
using Estat.Base.Metrics;

namespace Estat.Base.Tests.Metrics;

public sealed class PrometheusTextTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly PrometheusText _metrics;

    public PrometheusTextTests() => _metrics = new PrometheusText(_meter);

    public void Dispose()
    {
        _metrics.Dispose();
        _meter.Dispose();
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
}
