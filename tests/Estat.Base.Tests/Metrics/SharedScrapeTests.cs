// However many scrape: one reading at a time, one a second, and nobody waits for it but those who asked.
using System.Diagnostics.Metrics;
using System.Text;
using Estat.Base.Metrics;

namespace Estat.Base.Tests.Metrics;

public sealed class SharedScrapeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();
    private int _readings;

    [Fact]
    public async Task A_thousand_scrapes_within_a_second_are_two_readings_and_each_was_begun_after_it_was_asked_for()
    {
        var scrape = new SharedScrape(() => $"{Interlocked.Increment(ref _readings)}", _time);
        Assert.Equal("1", await TextAsync(scrape)); // at once
        Task<string>[] many = [.. Enumerable.Range(0, 1000).Select(_ => TextAsync(scrape))];
        _time.Advance(SharedScrape.Interval - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, Volatile.Read(ref _readings));
        await UntilAsync(() => many.All(each => each.IsCompleted));
        Assert.All(many, each => Assert.Equal("2", each.Result));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, _readings); // nobody asks, nobody reads
        Assert.Equal("3", await TextAsync(scrape));
    }

    [Fact]
    public async Task A_reading_that_fails_is_told_to_those_who_asked_and_the_next_one_comes()
    {
        var scrape = new SharedScrape(() => ++_readings == 1 ? throw new InvalidOperationException("a source's fault") : "well", _time);
        await Assert.ThrowsAsync<InvalidOperationException>(() => TextAsync(scrape));
        Task<string> next = TextAsync(scrape);
        await UntilAsync(() => next.IsCompleted);
        Assert.Equal("well", await next);
    }

    [Fact]
    public async Task A_source_that_hangs_ends_scrapes_with_an_error_and_keeps_nobody_who_records_waiting()
    {
        using var hung = new ManualResetEventSlim();
        using var meter = new Meter("test");
        using var metrics = new PrometheusText(meter);
        Histogram<double> acks = meter.CreateHistogram<double>("acks");
        meter.CreateObservableGauge("hangs", () =>
        {
            Interlocked.Increment(ref _readings);
            hung.Wait();
            return 1;
        });
        var scrape = new SharedScrape(metrics.Write, _time);
        Task<string> first = TextAsync(scrape);
        await Wait.UntilAsync(() => Volatile.Read(ref _readings) == 1, Limit, "the source to be read");

        await Task.Run(() => acks.Record(1)).WaitAsync(Limit);
        Task<string> second = TextAsync(scrape);
        await UntilAsync(() => first.IsCompleted && second.IsCompleted);
        await Assert.ThrowsAsync<TimeoutException>(() => first);
        await Assert.ThrowsAsync<TimeoutException>(() => second);
        Assert.Equal(1, _readings); // one thread hangs, however many ask

        hung.Set();
        Task<string> later = TextAsync(scrape);
        await UntilAsync(() => later.IsCompleted);
        Assert.Contains("acks_count 1", await later, StringComparison.Ordinal);
    }

    private static async Task<string> TextAsync(SharedScrape scrape) => Encoding.UTF8.GetString(await scrape.NextAsync(CancellationToken.None));

    private Task UntilAsync(Func<bool> condition) => Wait.UntilAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return condition();
        },
        Limit, "the scrapes to be answered");
}
