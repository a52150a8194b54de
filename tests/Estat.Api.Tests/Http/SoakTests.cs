// A short form of make soak: every attack for a second, without a control group, and without a word on time and memory, which other tests use as
// well.
using Estat.Soak;

namespace Estat.Api.Tests.Http;

public sealed class SoakTests
{
    [Fact]
    public async Task A_second_of_each_cheap_attack_leaves_the_server_alive_and_the_honest_client_served()
    {
        var report = new StringWriter();
        bool held = await SoakRun.RunAsync(new SoakOptions(TimeSpan.FromSeconds(5), Rate: 100) { WorstSlowdown = 1e9, WorstGrowth = 1e3 }, report);
        Assert.True(held, report.ToString());
    }

    [Fact]
    public void The_soak_s_verdict_knows_what_an_honest_client_may_be_told()
    {
        var tally = new Tally();
        tally.Add(TimeSpan.FromMilliseconds(1), null);
        tally.Add(TimeSpan.FromMilliseconds(100), "503 with Retry-After");
        Assert.True(tally.IsSound);
        Assert.Equal(100, tally.Percentile(0.99));
        tally.Add(null, "503");
        Assert.False(tally.IsSound);
    }
}
