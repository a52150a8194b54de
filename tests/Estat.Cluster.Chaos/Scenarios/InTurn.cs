// Several kinds of trouble in one cluster, one after another: a cluster takes longer to start than most troubles last.

namespace Estat.Cluster.Chaos.Scenarios;

/// <summary>Each of the scenarios at least once, in this order, over and over until the time is over.</summary>
public sealed class InTurn(IReadOnlyList<ClusterScenario> scenarios) : ClusterScenario
{
    public override string Name => string.Join('+', scenarios.Select(scenario => scenario.Name));

    public override string Summary => "one after another";

    public override int? SilosAtFirst => scenarios.Min(scenario => scenario.SilosAtFirst);

    public override async Task InjectAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        for (int i = 0; i < scenarios.Count; i++)
        {
            if (i > 0)
            {
                await run.UntilNextAsync();
            }

            await scenarios[i].InjectAsync(run);
        }
    }
}
