// A cluster grows from one silo to three, and shrinks to two.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class Scale : ClusterScenario
{
    private const int Most = 3;

    public override string Name => "scale";

    public override string Summary => "from 1 silo to 3, then one is drained for good";

    public override int? SilosAtFirst => 1;

    public override Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.Cluster.Silos.Count < Most
            ? run.TroubleAsync($"from 1 silo to {Most}", () => run.Cluster.AddAsync(Most - 1, gateways: 0))
            : run.TroubleAsync("SIGTERM silo-1, for good", () => run.Cluster.Silos[0].DrainAsync());
    }

    /// <summary>Once up and once down, with the load's time divided among the three sizes.</summary>
    public override async Task RunAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        await run.ForAsync(run.Plan.Duration / Most);
        await InjectAsync(run);
        await run.ForAsync(run.Plan.Duration / Most);
        await InjectAsync(run);
        while (!run.TimeIsOver)
        {
            await run.ForAsync(TimeSpan.FromMilliseconds(100));
        }
    }
}
