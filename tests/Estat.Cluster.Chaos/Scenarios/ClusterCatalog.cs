// All scenarios, in the order in which --list shows them.

namespace Estat.Cluster.Chaos.Scenarios;

public static class ClusterCatalog
{
    public static IReadOnlyList<ClusterScenario> All { get; } =
        [new KillSilos(), new KillGateways(), new RollingRestart(), new PauseSilo(), new MembershipAway(), new Scale(), new Calm()];
}
