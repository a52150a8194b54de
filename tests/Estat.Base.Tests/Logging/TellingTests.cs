// What happens often is told seldom, and nothing of it is left uncounted.
using Estat.Base.Logging;

namespace Estat.Base.Tests.Logging;

public sealed class TellingTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void What_happens_often_is_told_once_a_minute_with_all_that_was_not_told()
    {
        var limit = new TellLimit(Minute, _time);
        Assert.True(limit.IsDue(3, out long untold));
        Assert.Equal(3, untold);
        Assert.False(limit.IsDue());
        _time.Advance(Minute - TimeSpan.FromTicks(1));
        Assert.False(limit.IsDue(2, out _));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(limit.IsDue(1, out untold));
        Assert.Equal(4, untold);
    }

    [Fact]
    public void A_clock_that_is_set_neither_silences_it_nor_makes_it_talk()
    {
        var limit = new TellLimit(Minute, _time);
        Assert.True(limit.IsDue());
        _time.UtcNow += TimeSpan.FromDays(1);
        Assert.False(limit.IsDue());
        _time.UtcNow -= TimeSpan.FromDays(2);
        _time.Advance(Minute);
        Assert.True(limit.IsDue());
    }

    [Fact]
    public async Task Of_many_at_once_one_tells_and_each_is_counted_once()
    {
        var limit = new TellLimit(Minute, _time);
        long told = 0;
        int lines = 0;
        await Parallel.ForAsync(0, 1000, TestContext.Current.CancellationToken, (_, _) =>
        {
            if (limit.IsDue(1, out long untold))
            {
                Interlocked.Increment(ref lines);
                Interlocked.Add(ref told, untold);
            }

            return ValueTask.CompletedTask;
        });
        Assert.Equal(1, lines);
        _time.Advance(Minute);
        Assert.True(limit.IsDue(0, out long rest));
        Assert.Equal(1000, told + rest);
    }

    [Fact]
    public void A_fault_is_news_when_it_begins_when_it_is_another_and_when_it_comes_again()
    {
        var fault = new ToldFault();
        Assert.False(fault.Lasts);
        Assert.Equal([true, false, true, true], new[] { "a", "a", "b", "a" }.Select(fault.IsNews));
        Assert.True(fault.Lasts);
        fault.End();
        Assert.False(fault.Lasts);
        Assert.Equal([true, false], new[] { "a", "a" }.Select(fault.IsNews));
    }
}
