// When calls of a campaign stop, and when they go on.
using Estat.Requests.Webhooks;

namespace Estat.Requests.Tests.Deciding;

public sealed class BreakerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Breaker _breaker;

    public BreakerTests() => _breaker = new Breaker(_time);

    [Fact]
    public void It_opens_when_half_of_the_last_20_calls_failed()
    {
        End(Breaker.Limit - 1, isFailure: true);
        Assert.Equal(7, _breaker.Allow(7));
        End(1, isFailure: true);

        Assert.True(_breaker.IsOpen);
        Assert.Equal(0, _breaker.Allow(7));
    }

    [Fact]
    public void Failures_that_are_more_than_20_calls_old_are_forgotten()
    {
        End(Breaker.Limit - 1, isFailure: true);
        End(Breaker.Window - Breaker.Limit + 1, isFailure: false);
        End(Breaker.Limit - 1, isFailure: true);

        Assert.False(_breaker.IsOpen);
        End(1, isFailure: true);
        Assert.True(_breaker.IsOpen);
    }

    [Fact]
    public void While_it_is_open_one_probe_may_begin_every_five_seconds()
    {
        End(Breaker.Limit, isFailure: true);
        _time.Advance(Breaker.ProbeEvery - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _breaker.Allow(7));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _breaker.Allow(7));
        Assert.True(_breaker.Begin());
        Assert.False(_breaker.Begin());
        _time.Advance(Breaker.ProbeEvery);
        Assert.Equal(0, _breaker.Allow(7)); // the probe is running
        _breaker.End(isProbe: true, isFailure: true);

        Assert.Equal(1, _breaker.Allow(7));
        Assert.Equal(Breaker.ProbeEvery * 2, _breaker.OpenFor);
    }

    [Fact]
    public void A_probe_that_succeeds_closes_it_and_old_failures_are_forgotten()
    {
        End(Breaker.Limit, isFailure: true);
        _time.Advance(Breaker.ProbeEvery);
        _breaker.Begin();
        End(3, isFailure: false); // calls that began before it opened
        Assert.True(_breaker.IsOpen);
        _breaker.End(isProbe: true, isFailure: false);

        Assert.False(_breaker.IsOpen);
        Assert.Equal(TimeSpan.Zero, _breaker.OpenFor);
        End(Breaker.Limit - 1, isFailure: true);
        Assert.False(_breaker.IsOpen);
    }

    private void End(int calls, bool isFailure)
    {
        for (int i = 0; i < calls; i++)
        {
            _breaker.End(isProbe: false, isFailure);
        }
    }
}
