// A deployment: every node is drained and started again, one after another.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class RollingRestart : ClusterScenario
{
    public override string Name => "rolling";

    public override string Summary => "SIGTERM and restart of each silo and each gateway, one after another";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        foreach (var node in run.Cluster.Nodes.ToList())
        {
            await run.TroubleAsync($"SIGTERM {node.Name}", async () =>
            {
                await node.DrainAsync();
                await node.StartAsync();
            });
        }
    }
}
