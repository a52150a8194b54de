// A body that stalls does not keep its memory for BODY_TIMEOUT; one that comes slowly and evenly does.
using Estat.Http.Bodies;

namespace Estat.Http.Tests.Bodies;

public sealed class BodyPaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_body_that_stalls_after_megabytes_is_given_up_within_ten_seconds()
    {
        var time = new ManualTimeProvider();
        using var ending = new CancellationTokenSource();
        using var pace = new BodyPace(ending, Patience, () => true, time);
        pace.OnReceived((4 << 20) + 100);
        int received = (4 << 20) + 100;
        for (int second = 0; second < 10; second++)
        {
            Assert.False(ending.IsCancellationRequested);
            time.Advance(TimeSpan.FromSeconds(1));
            pace.OnReceived(received += 400);
        }

        Assert.True(ending.IsCancellationRequested);
    }

    [Fact]
    public void While_there_is_memory_for_everybody_a_body_may_stall_until_BODY_TIMEOUT()
    {
        var time = new ManualTimeProvider();
        bool isScarce = false;
        using var ending = new CancellationTokenSource();
        using var pace = new BodyPace(ending, Patience, () => isScarce, time);
        pace.OnReceived(4 << 20);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(ending.IsCancellationRequested);
        isScarce = true;
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(ending.IsCancellationRequested);
    }

    [Theory]
    [InlineData(250)] // a phone at the edge of the network: 7.5 KB in 30 s
    [InlineData(1000)]
    [InlineData(140_000)] // as much as fits: 4 MB in 30 s
    public void A_body_that_comes_evenly_has_all_of_BODY_TIMEOUT_however_slowly_it_comes(int bytesPerSecond)
    {
        var time = new ManualTimeProvider();
        using var ending = new CancellationTokenSource();
        using var pace = new BodyPace(ending, Patience, () => true, time);
        for (int second = 1; second <= 30; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            pace.OnReceived(second * bytesPerSecond);
        }

        Assert.False(ending.IsCancellationRequested);
    }

    [Fact]
    public void A_short_BODY_TIMEOUT_is_all_that_a_body_has_to_keep()
    {
        var time = new ManualTimeProvider();
        using var ending = new CancellationTokenSource();
        using var pace = new BodyPace(ending, TimeSpan.FromSeconds(2), () => true, time);
        pace.OnReceived(80_000);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(ending.IsCancellationRequested);
    }

    [Fact]
    public void A_body_that_fits_the_first_buffer_may_stall_until_BODY_TIMEOUT()
    {
        var time = new ManualTimeProvider();
        using var ending = new CancellationTokenSource();
        using var pace = new BodyPace(ending, Patience, () => true, time);
        pace.OnReceived(16 * 1024);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(ending.IsCancellationRequested);
    }

    [Fact]
    public void Once_a_body_is_whole_nothing_is_given_up()
    {
        var time = new ManualTimeProvider();
        var ending = new CancellationTokenSource();
        var pace = new BodyPace(ending, Patience, () => true, time);
        pace.OnReceived(1 << 20);
        pace.Dispose();
        ending.Dispose();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, time.ActiveTimers);
    }
}
