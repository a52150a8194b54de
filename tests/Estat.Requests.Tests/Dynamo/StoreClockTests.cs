// A node's clock beside the store's, by Date headers of whole seconds.
using Estat.Requests.Aws.Dynamo;

namespace Estat.Requests.Tests.Dynamo;

public sealed class StoreClockTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(0)]
    [InlineData(900)]
    [InlineData(-900)]
    [InlineData(2_500)]
    [InlineData(-2_500)]
    [InlineData(3_600_000)]
    public void Many_answers_tell_the_difference_and_never_too_much_of_it(int milliseconds)
    {
        var clock = new StoreClock(_time);
        for (int i = 0; i < 40; i++)
        {
            Answer(clock, TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(20));
            _time.Advance(TimeSpan.FromMilliseconds(130));
        }

        double known = clock.Difference.TotalMilliseconds;
        Assert.True(Math.Abs(known) <= Math.Abs(milliseconds), $"{known} of {milliseconds}");
        Assert.True(Math.Abs(milliseconds - known) < 200, $"{known} of {milliseconds}");
    }

    [Fact]
    public void One_answer_accuses_nobody()
    {
        var clock = new StoreClock(_time);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Answer(clock, TimeSpan.FromMilliseconds(-900), TimeSpan.FromSeconds(2));

        Assert.True(clock.Difference.Duration() < StoreClock.Most);
    }

    [Fact]
    public void A_clock_that_is_set_right_is_right_soon()
    {
        var clock = new StoreClock(_time);
        foreach (int off in new[] { 5_000, 0 })
        {
            for (int i = 0; i < 300; i++)
            {
                Answer(clock, TimeSpan.FromMilliseconds(off), TimeSpan.FromMilliseconds(20));
                _time.Advance(TimeSpan.FromMilliseconds(130));
            }
        }

        Assert.Equal(TimeSpan.Zero, clock.Difference);
    }

    // The store answers half-way.
    private void Answer(StoreClock clock, TimeSpan off, TimeSpan took)
    {
        DateTimeOffset sent = _time.GetUtcNow();
        DateTimeOffset store = sent + (took / 2) + off;
        _time.Advance(took);
        clock.See(sent, DateTimeOffset.FromUnixTimeSeconds(store.ToUnixTimeSeconds()));
    }
}
