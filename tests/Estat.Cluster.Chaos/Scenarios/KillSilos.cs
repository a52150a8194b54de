// A silo dies without warning, with its machine where the ack level promises to survive that.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class KillSilos : ClusterScenario
{
    public override string Name => "kill";

    public override string Summary => "SIGKILL for a silo chosen at random, its disk wiped at replica and stored; restart up to 3 s later";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var silo = run.Cluster.Silos[run.Random.Next(run.Cluster.Silos.Count)];
        var downFor = TimeSpan.FromMilliseconds(run.Random.Next(3_000));
        await run.TroubleAsync($"kill -9 {silo.Name}{(run.Plan.KillTakesDisk ? ", disk wiped" : "")}", async () =>
        {
            await silo.KillAsync();
            if (run.Plan.KillTakesDisk)
            {
                silo.WipeDisk();
            }

            await Task.Delay(downFor);
            await silo.StartAsync();
        });
    }
}
