// What a run is: how large, how long, under which load, through which trouble.

using Estat.Cluster.Chaos.Scenarios;
using Estat.Testing;

namespace Estat.Cluster.Chaos;

/// <summary>One run's choices.</summary>
public sealed record ClusterPlan
{
    /// <summary>What goes wrong.</summary>
    public ClusterScenario Scenario { get; init; } = new KillSilos();

    /// <summary>What holds the membership, as CLUSTERING names it.</summary>
    public string Clustering { get; init; } = MembershipStore.Redis;

    /// <summary>What a 200 has to mean: the default of every node, and what half of the requests ask for by name.</summary>
    public string Level { get; init; } = AckNames.Replica;

    /// <summary>How long the load lasts. A scenario finishes what it has begun then.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Least time from one trouble to the next.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Events per second.</summary>
    public int PerSecond { get; init; } = 5_000;

    /// <summary>Requests that may be on their way at a time.</summary>
    public int Connections { get; init; } = 128;

    /// <summary>Silos at the start.</summary>
    public int Silos { get; init; } = 3;

    /// <summary>Gateways.</summary>
    public int Gateways { get; init; } = 2;

    /// <summary>Chooses victims and times.</summary>
    public int Seed { get; init; } = Random.Shared.Next();

    /// <summary>What every node is started with, beside what it needs.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>"lose" or "double": what is done to the store before the audit, to see that it notices. Null: nothing.</summary>
    public string? Sabotage { get; init; }

    /// <summary>Whether a silo that is killed loses its disk: where the level has to survive that.</summary>
    public bool KillTakesDisk => Level is AckNames.Replica or AckNames.Stored;
}
