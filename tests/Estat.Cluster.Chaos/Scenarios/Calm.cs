// Nothing goes wrong: what the others are compared with.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class Calm : ClusterScenario
{
    public override string Name => "calm";

    public override string Summary => "no trouble at all; says what the load costs";

    public override Task InjectAsync(ClusterRun run) => Task.CompletedTask;

    public override Task RunAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.ForAsync(run.Plan.Duration);
    }
}
