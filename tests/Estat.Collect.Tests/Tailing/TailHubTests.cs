// What the tail costs and drops, without HTTP.
using System.Text;
using Estat.Collect.Tailing;
using Estat.Lake.Lines;

namespace Estat.Collect.Tests.Tailing;

public sealed class TailHubTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly ManualTimeProvider _time = new();
    private readonly EventFilter _all = EventFilter.Of([], null);

    [Fact]
    public void Nobody_watches_before_the_first_and_after_the_last_watcher()
    {
        var hub = new TailHub(_time, NullLogger<TailHub>.Instance);
        Assert.False(hub.IsWatched);
        TailWatcher first = hub.Watch(_all, 10);
        TailWatcher second = hub.Watch(_all, 10);
        first.Dispose();
        Assert.True(hub.IsWatched);
        second.Dispose();
        second.Dispose();
        Assert.False(hub.IsWatched);
    }

    [Fact]
    public void No_more_events_are_copied_than_the_budget_has_however_many_come()
    {
        var hub = new TailHub(_time, NullLogger<TailHub>.Instance);
        int Copied(int events) => Enumerable.Range(0, events).Count(number => Copy(hub, $"event {number}") is not null);
        Assert.Equal(TailHub.Burst, Copied(10_000));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.InRange(Copied(10_000), (TailHub.EventsPerSecond / 10) - 1, (TailHub.EventsPerSecond / 10) + 1);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TailHub.Burst, Copied(10_000));
        Assert.Null(Copy(hub, new string('x', TailHub.LargestBody + 1)));
    }

    [Fact]
    public async Task A_watcher_who_does_not_read_misses_events_and_the_others_miss_none()
    {
        var hub = new TailHub(_time, NullLogger<TailHub>.Instance);
        using TailWatcher deaf = hub.Watch(_all, 10);
        using TailWatcher quick = hub.Watch(_all, 100);
        var read = new List<string>();
        for (int number = 0; number < 50; number++)
        {
            byte[] line = Encoding.UTF8.GetBytes($"{{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"{number}\"}}");
            hub.Offer(line);
            Assert.True(await quick.WaitAsync(TestContext.Current.CancellationToken).AsTask()
                .WaitAsync(Limit, TestContext.Current.CancellationToken));
            read.Add(Encoding.UTF8.GetString(quick.TryRead()!));
        }

        Assert.Equal(50, read.Count);
        TailNote noteOfDeaf = deaf.TakeNote();
        Assert.Equal(new TailNote(50, 50, 0, 40), noteOfDeaf);
        Assert.Equal(new TailNote(50, 50, 50, 0), quick.TakeNote());
        Assert.Equal(default, quick.TakeNote());
    }

    private static byte[]? Copy(TailHub hub, string body) => hub.Chooses() ? TailHub.CopyOf(EventLines.Header(), Encoding.UTF8.GetBytes(body)) : null;
}
