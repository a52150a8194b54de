// A short run of the fuzzer with a seed of its own; `make fuzz` runs it for longer and with others. Without a word on memory: a server that has just
// started grows anyway, and a leak shows only after minutes.
using Estat.Fuzz;

namespace Estat.Api.Tests.Http;

public sealed class FuzzTests
{
    [Fact]
    public async Task Hostile_requests_leave_the_server_sound_and_every_acknowledged_event_stored_once()
    {
        var words = new StringWriter();
        var options = new FuzzOptions(Seed: 20260102, TimeSpan.FromSeconds(8)) { GrowthAllowed = long.MaxValue / 2 };

        bool isSound = await FuzzRun.RunAsync(options, TextWriter.Synchronized(words));

        Assert.True(isSound, words.ToString());
    }
}
