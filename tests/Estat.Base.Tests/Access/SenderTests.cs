// What a key has used of its day, whatever becomes of its events and when.
using Estat.Base.Access;

namespace Estat.Base.Tests.Access;

public sealed class SenderTests
{
    private readonly ManualTimeProvider _time = new(new DateTimeOffset(2026, 11, 21, 23, 59, 59, TimeSpan.Zero));
    private readonly WriteKeyUsage _record = new(new SenderCounts("daily"));

    private Sender Daily => new(new WriteKey { Name = "daily", Hashes = [], DailyQuota = 5 }, _record, _time);

    [Fact]
    public void What_was_refused_is_given_back_to_its_day()
    {
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out Charge charge, out _));
        charge.OnAnswered(isAccepted: false);
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out _, out _));
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
    }

    [Fact]
    public void What_is_refused_after_midnight_is_not_given_back_to_the_new_day()
    {
        Assert.Equal(KeyRefusal.None, Daily.Take(3, out Charge yesterdays, out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out Charge todays, out _));
        yesterdays.OnAnswered(isAccepted: false);
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
        todays.OnAnswered(isAccepted: false);
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out _, out _));
    }

    [Fact]
    public void A_clock_that_went_back_counts_for_the_later_day_and_gives_back_to_it()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(KeyRefusal.None, Daily.Take(1, out _, out _));
        _time.UtcNow -= TimeSpan.FromHours(1);
        Assert.Equal(KeyRefusal.None, Daily.Take(4, out Charge charge, out _));
        charge.OnAnswered(isAccepted: false);
        Assert.Equal(KeyRefusal.None, Daily.Take(4, out _, out _));
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
    }

    [Fact]
    public void A_quota_that_a_clock_which_jumped_forward_used_up_comes_back_with_the_clock()
    {
        Assert.Equal(KeyRefusal.None, Daily.Take(3, out _, out _));
        _time.UtcNow += TimeSpan.FromDays(30);
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out Charge jumped, out _));
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
        _time.UtcNow -= TimeSpan.FromDays(30);
        jumped.OnAnswered(isAccepted: false); // of a day that is forgotten
        Assert.Equal(KeyRefusal.None, Daily.Take(2, out _, out _)); // the day goes on where it was
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
        _time.UtcNow += TimeSpan.FromDays(30); // when that day comes, it is a new one
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out _, out _));
    }

    [Fact]
    public void A_clock_that_stands_in_the_past_for_a_while_begins_no_day_anew()
    {
        Assert.Equal(KeyRefusal.None, Daily.Take(5, out _, out _));
        for (int day = 1; day <= 3; day++)
        {
            _time.UtcNow += TimeSpan.FromDays(1);
            Assert.Equal(KeyRefusal.None, Daily.Take(5, out _, out _));
        }

        _time.UtcNow -= TimeSpan.FromDays(3);
        Assert.Equal(KeyRefusal.Quota, Daily.Take(1, out _, out _));
    }
}
