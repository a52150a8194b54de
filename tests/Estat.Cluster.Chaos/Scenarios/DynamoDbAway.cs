// The membership's table does not answer: those who know each other go on.

namespace Estat.Cluster.Chaos.Scenarios;

public sealed class DynamoDbAway : ClusterScenario
{
    public override string Name => "dynamodb-away";

    public override string Summary => "DynamoDB stands still for half of the run, at most a minute";

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var away = run.Plan.Duration / 2 < TimeSpan.FromMinutes(1) ? run.Plan.Duration / 2 : TimeSpan.FromMinutes(1);
        await run.TroubleAsync($"DynamoDB away for {away.TotalSeconds:0} s", async () =>
        {
            run.DynamoDb.Stop();
            try
            {
                await Task.Delay(away);
            }
            finally
            {
                run.DynamoDb.Continue();
            }
        });
    }
}
