// The membership's table does not answer: those who know each other go on.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class MembershipAway : ClusterScenario
{
    public override string Name => "membership-away";

    public override string Summary => "Redis, or DynamoDB, stands still for half of the run, at most a minute";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var away = run.Plan.Duration / 2 < TimeSpan.FromMinutes(1) ? run.Plan.Duration / 2 : TimeSpan.FromMinutes(1);
        await run.TroubleAsync($"the membership away for {away.TotalSeconds:0} s", async () =>
        {
            run.Members.Stop();
            try
            {
                await Task.Delay(away);
            }
            finally
            {
                run.Members.Continue();
            }
        });
    }
}
