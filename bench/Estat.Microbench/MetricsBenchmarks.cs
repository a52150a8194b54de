// What counting costs a request, and a scrape the node.
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Estat.Base.Metrics;

namespace Estat.Microbench;

/// <summary>The scrape is of as many instruments as a node has, with a histogram among them, and of the runtime's own.</summary>
[MemoryDiagnoser]
public class MetricsBenchmarks
{
    private readonly Meter _meter = new("microbench");
    private readonly StripedCounter _counter = new();
    private Histogram<double> _histogram = null!;
    private PrometheusText _text = null!;

    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < 30; i++)
        {
            _meter.CreateObservableCounter($"counter_{i}", () => _counter.Value, description: "A counter.");
        }

        var buckets = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] };
        _histogram = _meter.CreateHistogram("duration", "s", "A duration.", tags: null, buckets);
        _text = new PrometheusText(_meter);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _text.Dispose();
        _meter.Dispose();
    }

    [Benchmark]
    public long Increment() => _counter.Increment();

    [Benchmark]
    public void RecordHistogram() => _histogram.Record(0.0123);

    [Benchmark]
    public string Scrape() => _text.Write();
}
