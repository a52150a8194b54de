// The promise of the spool, tried by power cuts and kills at any moment: acknowledged ⊆ stored, once, and nothing is invented.
using Estat.Spool.Tests.Model;
using Estat.Testing.PowerCuts;

namespace Estat.Spool.Tests;

public sealed class SpoolModelTests
{
    [Fact]
    public Task Acknowledged_events_survive_power_cuts_of_the_spools_writer() => Seeds.RunAsync(5000, Environment.ProcessorCount, seed =>
    {
        new SegmentModel(seed).Run();
        return Task.CompletedTask;
    });

    [Fact]
    public Task Acknowledged_events_survive_power_cuts_of_a_whole_node() => Seeds.RunAsync(1000, 2 * Environment.ProcessorCount, async seed =>
    {
        using var model = new NodeModel(seed);
        await model.RunAsync();
    });
}
