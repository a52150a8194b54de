// A silo that the others cannot reach until they have given it up, and that does not know: it comes back with batches that are no longer its own.

using Estat.Testing;

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class PauseSilo : ClusterScenario
{
    // Far above the membership's patience as runs set it: three probes and a vote.
    private static readonly TimeSpan Paused = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ToNotice = TimeSpan.FromSeconds(60);

    public override string Name => "pause";

    public override string Summary =>
        "SIGSTOP for a silo until the others have declared it dead, then SIGCONT; restart if it ends by itself, as it should";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var silo = run.Cluster.Silos[run.Random.Next(run.Cluster.Silos.Count)];
        await run.TroubleAsync($"SIGSTOP {silo.Name} for {Paused.TotalSeconds:0} s", async () =>
        {
            silo.Pause();
            await Task.Delay(Paused);
            silo.Continue();
            // What membership has declared dead stays dead: the process ends, and the operator starts another one over the same disk.
            await Wait.UntilAsync(() => !silo.IsRunning, ToNotice, $"{silo.Name} to notice that it was declared dead, and to end");
            await silo.StartAsync();
        });
    }
}
