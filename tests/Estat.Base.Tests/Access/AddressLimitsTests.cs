// The table of addresses is bounded, and errs in favour of who is in it.
using System.Net;
using Estat.Base.Access;

namespace Estat.Base.Tests.Access;

public sealed class AddressLimitsTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void IPv6_addresses_are_told_apart_by_their_first_64_bits(string one, string other, bool same) =>
        Assert.Equal(same, AddressLimits.KeyOf(IPAddress.Parse(one)) == AddressLimits.KeyOf(IPAddress.Parse(other)));

    [Fact]
    public void However_many_addresses_come_none_is_refused_for_the_others()
    {
        var limits = new AddressLimits(0.01, 1, _time);
        for (ulong address = 0; address < 300_000; address++)
        {
            Assert.True(limits.TryTake(address, 1, out _), $"address {address} has sent nothing yet");
        }
    }

    [Fact]
    public void The_wait_that_is_told_is_the_shortest_that_helps()
    {
        var limits = new AddressLimits(3, 2, _time);
        Assert.True(limits.TryTake(1, 2, out _));
        Assert.False(limits.TryTake(1, 2, out TimeSpan wait));
        _time.Advance(wait - TimeSpan.FromTicks(1));
        Assert.False(limits.TryTake(1, 2, out _));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(limits.TryTake(1, 2, out _));
    }

    [Fact]
    public void Looking_takes_nothing()
    {
        var limits = new AddressLimits(1, 1, _time);
        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(limits.TryTake(1, 0, out TimeSpan _)));
        Assert.True(limits.TryTake(1, 1, out _));
        Assert.False(limits.TryTake(1, 0, out _));
    }

    [Fact]
    public void Threads_that_race_for_one_address_get_no_more_than_its_burst()
    {
        var limits = new AddressLimits(0.01, 1000, _time);
        int taken = 0;
        Parallel.For(0, 20_000, _ => Interlocked.Add(ref taken, limits.TryTake(7, 1, out TimeSpan _) ? 1 : 0));
        Assert.Equal(1000, taken);
    }
}
