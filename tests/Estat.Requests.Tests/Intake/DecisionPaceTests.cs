// Estimates of a campaign that moves, and of one that does not.
using Estat.Requests.Intake;

namespace Estat.Requests.Tests.Intake;

public sealed class DecisionPaceTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void An_estimate_follows_the_pace_and_one_of_a_campaign_that_stands_still_ends()
    {
        var pace = new DecisionPace(_time);
        Assert.Null(pace.SecondsFor(At(0), 100));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(10, pace.SecondsFor(At(1_000), 1_000)!.Value, 3);
        Assert.Null(pace.SecondsFor(At(1_000) with { IsPaused = true }, 1_000));
        for (int look = 0; look < 5_000; look++)
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.True(pace.SecondsFor(At(1_000), 1_000) is null or <= 86_400, "an estimate that cannot be written as JSON");
        }

        Assert.Null(pace.SecondsFor(At(1_000), 1_000));
    }

    private static Campaign At(long decided) => new()
    {
        Id = "sale", Ordinal = 1, Version = 1, Secret = default, Seed = default, Counts = default, Decided = decided,
        Settings = new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 1 },
    };
}
