// A short run of the fuzzer with a seed of its own; `make fuzz` runs it for longer and with others.
using Estat.Fuzz;

namespace Estat.Api.Tests.Http;

public sealed class FuzzTests
{
    [Fact]
    public async Task Eight_seconds_of_hostile_requests_leave_the_server_sound_and_every_acknowledged_event_stored_once()
    {
        var words = new StringWriter();

        bool isSound = await FuzzRun.RunAsync(new FuzzOptions(Seed: 20260102, TimeSpan.FromSeconds(8)), TextWriter.Synchronized(words));

        Assert.True(isSound, words.ToString());
    }
}
