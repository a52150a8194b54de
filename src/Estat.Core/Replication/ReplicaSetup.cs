// What a silo is given to offer the ack level replica.
namespace Estat.Core.Replication;

/// <summary>What a request for <c>replica</c> gets while no other silo holds a copy.</summary>
public enum DegradedPolicy
{
    /// <summary>503: nothing is acknowledged below what was asked for.</summary>
    Reject,

    /// <summary>202 and <c>X-Estat-Ack: disk</c>.</summary>
    Disk,
}

/// <summary>The other silos, and what to do without them.</summary>
/// <param name="Peers">Who holds second copies.</param>
/// <param name="Degraded"><c>REPLICA_DEGRADED</c>.</param>
public sealed record ReplicaSetup(IReplicaPeers Peers, DegradedPolicy Degraded);
