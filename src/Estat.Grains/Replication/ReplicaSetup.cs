// What a silo is given to offer the ack level replica.
using Estat.Http.Options;

namespace Estat.Grains.Replication;

/// <summary>The other silos, and what to do without them.</summary>
/// <param name="Peers">Who holds second copies.</param>
/// <param name="Degraded"><c>REPLICA_DEGRADED</c>.</param>
public sealed record ReplicaSetup(IReplicaPeers Peers, ReplicaDegradedPolicy Degraded);
