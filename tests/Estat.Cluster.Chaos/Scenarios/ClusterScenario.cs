// What can go wrong with a cluster: each scenario does it over and over until the load's time is over.

namespace Estat.Cluster.Chaos.Scenarios;

/// <summary>One kind of trouble. Has no state of its own: what belongs to a run is in the <see cref="ClusterRun"/>.</summary>
public abstract class ClusterScenario
{
    /// <summary>As the command line names it.</summary>
    public abstract string Name { get; }

    /// <summary>One line on what it does.</summary>
    public abstract string Summary { get; }

    /// <summary>Silos at the start; null: as many as the plan says.</summary>
    public virtual int? SilosAtFirst => null;

    /// <summary>Trouble once. When this returns the cluster is whole again: every node up, every event with all its copies.</summary>
    public abstract Task InjectAsync(ClusterRun run);

    /// <summary>The whole of a run: trouble at least once.</summary>
    public virtual async Task RunAsync(ClusterRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        do
        {
            await run.UntilNextAsync();
            await InjectAsync(run);
        }
        while (!run.TimeIsOver);
    }
}
