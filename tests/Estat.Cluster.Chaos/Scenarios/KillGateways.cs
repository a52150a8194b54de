// A gateway dies without warning: what it had sent to silos is stored, and nobody was told.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class KillGateways : ClusterScenario
{
    public override string Name => "kill-gateway";

    public override string Summary => "SIGKILL for a gateway chosen at random; restart up to 2 s later";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var gateway = run.Cluster.Gateways[run.Random.Next(run.Cluster.Gateways.Count)];
        var downFor = TimeSpan.FromMilliseconds(run.Random.Next(2_000));
        await run.TroubleAsync($"kill -9 {gateway.Name}", async () =>
        {
            await gateway.KillAsync();
            await Task.Delay(downFor);
            await gateway.StartAsync();
        });
    }
}
