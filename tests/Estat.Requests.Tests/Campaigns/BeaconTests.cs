// A draw's beacon comes after the close, or is refused.
using System.Text.Json;
using Estat.Requests.Http;

namespace Estat.Requests.Tests.Campaigns;

public sealed class BeaconTests
{
    private const string Default = "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce";
    private const string Quicknet = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971";
    private static readonly string Other = new('c', 64);
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(Default, 30)]
    [InlineData(Quicknet, 3)]
    public void A_round_of_a_known_chain_that_does_not_come_after_the_close_is_refused(string chain, int period)
    {
        DateTimeOffset end = Now.AddDays(1);
        long first = BeaconChain.OfHash(chain)!.Value.FirstAfter(end);

        Assert.Null(WhyNot($"\"chain\":\"{chain}\",\"round\":{first}", end));
        Assert.Contains(
            $"the first after closesAt is {first}.", WhyNot($"\"chain\":\"{chain}\",\"round\":{first - 1}", end), StringComparison.Ordinal);
        Assert.InRange((BeaconChain.OfHash(chain)!.Value.TimeOf(first) - end).TotalSeconds, 0.001, period);
    }

    // The first rounds, and a later one of each with the time at which others expect it.
    [Theory]
    [InlineData(Default, 1, "2020-07-22T15:17:30Z")]
    [InlineData(Default, 6_311_188, "2026-07-23T00:31:00Z")]
    [InlineData(Quicknet, 1, "2023-08-23T15:09:27Z")]
    [InlineData(Quicknet, 35_107_012, "2026-12-24T15:00:00Z")]
    public void The_clocks_of_drand_s_chains_are_known(string chain, long round, string time) =>
        Assert.Equal(DateTimeOffset.Parse(time, null), BeaconChain.OfHash(chain)!.Value.TimeOf(round));

    [Fact]
    public void A_round_at_the_very_close_is_too_early()
    {
        var clock = new BeaconChain(Now.ToUnixTimeSeconds(), 10);
        Assert.Equal(Now.AddSeconds(20), clock.TimeOf(3));
        Assert.Equal(
            [4, 3, 3, 1], new[] { 20, 19.999, 10, -86400 }.Select(seconds => clock.FirstAfter(Now.AddSeconds(seconds))));

        string settings = $"\"chain\":\"{Other}\",\"genesis\":{Now.ToUnixTimeSeconds()},\"period\":10,\"round\":";
        Assert.Null(WhyNot(settings + "4", Now.AddSeconds(20)));
        Assert.Equal(
            "beacon.round must come after closesAt. Round 3 comes at 2026-11-30T00:00:20.000Z; the first after closesAt is 4.",
            WhyNot(settings + "3", Now.AddSeconds(20)));
        Assert.Null(WhyNot(settings + "3", Now.AddSeconds(19.999)));
        Assert.Null(WhyNot(settings + long.MaxValue, Now.AddSeconds(20)));
    }

    [Fact]
    public void A_chain_that_nobody_described_is_taken_at_the_operator_s_word() =>
        Assert.Null(WhyNot($"\"chain\":\"{Other}\",\"round\":1", Now.AddDays(1)));

    [Theory]
    [InlineData("\"genesis\":1692803367", "beacon.genesis and beacon.period belong together")]
    [InlineData("\"period\":3", "beacon.genesis and beacon.period belong together")]
    [InlineData("\"genesis\":1692803367,\"period\":30", "This chain has genesis 1692803367 and period 3.")]
    [InlineData("\"genesis\":0,\"period\":3", "This chain has genesis 1692803367 and period 3.")]
    [InlineData("\"genesis\":-1,\"period\":3", "beacon.genesis must be")]
    [InlineData("\"genesis\":\"1692803367\",\"period\":3", "beacon.genesis must be")]
    [InlineData("\"genesis\":1692803367,\"period\":0", "beacon.period must be")]
    [InlineData("\"genesis\":1692803367,\"period\":86401", "beacon.period must be")]
    [InlineData("\"genesis\":1692803367,\"periode\":3", "There is no \"periode\" in beacon")]
    public void A_clock_that_cannot_be_is_refused(string clock, string why) => Assert.Contains(
        why, WhyNot($"\"chain\":\"{Quicknet}\",\"round\":1000000000,{clock}", Now.AddDays(1)), StringComparison.Ordinal);

    [Fact]
    public void The_clock_of_a_known_chain_may_be_sent_too() =>
        Assert.Null(WhyNot($"\"chain\":\"{Quicknet}\",\"round\":1000000000,\"genesis\":1692803367,\"period\":3", Now.AddDays(1)));

    private static string? WhyNot(string beacon, DateTimeOffset end)
    {
        using JsonDocument body = JsonDocument.Parse(
            $$"""{"policy":"draw","opensAt":"2026-01-01T00:00:00Z","closesAt":"{{Rfc3339.ToText(end)}}","winners":1,"beacon":{ {{beacon}} } }""");
        (CampaignSettings? settings, string? why) = CampaignJson.Read(body.RootElement);
        return why ?? CampaignRules.WhyInvalid(settings!, null, Now);
    }
}
