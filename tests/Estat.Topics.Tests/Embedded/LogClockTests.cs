// The embedded log's times, while the machine's clock goes back, jumps, or is wrong.
using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Microsoft.Extensions.Logging;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogClockTests : EmbeddedLogRig
{
    [Fact]
    public async Task A_clock_that_jumps_ahead_for_a_moment_changes_nothing()
    {
        await ProduceAsync(10, "user-activities");
        DateTimeOffset right = Time.UtcNow;
        Time.UtcNow += TimeSpan.FromDays(365);
        await ProduceAsync(10, "user-activities");
        await Log.KeepOnceAsync();
        Assert.Contains(Lines.Of(LogLevel.Warning), line => line.Contains("set the clock right", StringComparison.Ordinal));
        Time.UtcNow = right + TimeSpan.FromSeconds(1);
        Produced produced = await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        MessagePosition at = produced.Positions[0]!.Value;
        Assert.Equal(right.ToUnixTimeMilliseconds() + 1_000, (await Log.ReadAsync(at.Of, at.Offset, 1, 1, default))[0].Time);
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_for_a_moment_lets_nothing_expire()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(1_000, "user-activities");
        Time.Advance(TimeSpan.FromMinutes(2)); // the index has a point a minute
        await ProduceAsync(1_000, "user-activities");
        Time.UtcNow += TimeSpan.FromDays(365);
        for (int run = 0; run < 3; run++)
        {
            await Log.KeepOnceAsync();
        }

        Assert.Equal(0, Log.Journal.Start);
        Assert.All(Log.FindTopic("user-activities")!.Partitions, partition => Assert.Equal(0, partition.Start));
    }

    [Fact]
    public void A_clock_that_stands_by_its_jump_is_believed()
    {
        var clock = new LogClock(Time);
        long before = clock.Now();
        Time.UtcNow += TimeSpan.FromDays(1);
        Assert.Equal(before, clock.Now());
        Time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(before + 540_000, clock.Now());
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(Time.UtcNow.ToUnixTimeMilliseconds(), clock.Now());
    }

    [Fact]
    public async Task The_clock_may_go_back_and_times_do_not()
    {
        await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        long time = Time.UtcNow.ToUnixTimeMilliseconds();
        Time.UtcNow -= TimeSpan.FromHours(3);
        await ReopenAsync();
        Produced produced = await Log.ProduceAsync(new Production("notifications", [Message("a", "2")]), default);
        MessagePosition at = produced.Positions[0]!.Value;
        Assert.Equal(time, (await Log.ReadAsync(at.Of, at.Offset, 1, 1, default))[0].Time);
    }
}
