// The options that only a cluster's nodes have: silos and gateways.
using System.Net;
using Estat.Base.Options;

namespace Estat.Http.Options;

/// <summary>What a cluster's process does.</summary>
public enum NodeRole
{
    /// <summary>Keeps events and takes them over HTTP.</summary>
    Both,

    /// <summary>Keeps the events that gateways bring it; its HTTP port serves operators only.</summary>
    Silo,

    /// <summary>Takes events over HTTP and keeps none: it brings them to silos.</summary>
    Gateway,
}

/// <summary>How silos find each other.</summary>
public enum ClusteringKind
{
    /// <summary>One silo of this machine is asked by the others; for trying it out and for tests.</summary>
    Localhost,

    /// <summary>A table in DynamoDB.</summary>
    DynamoDb,

    /// <summary>A hash in Redis.</summary>
    Redis,
}

/// <summary>What <c>ACK=replica</c> means while no other silo is alive.</summary>
public enum ReplicaDegradedPolicy
{
    /// <summary>New requests get 503.</summary>
    Reject,

    /// <summary>They are taken at <c>disk</c>, and the answer says so (202).</summary>
    Disk,
}

/// <summary>A cluster node's own options, already checked. Units and bounds stand at each entry of <see cref="ClusterOptionTable"/>.</summary>
public sealed record ClusterOptions
{
    /// <summary>What the process does.</summary>
    public NodeRole Role { get; init; } = NodeRole.Both;

    /// <summary>How silos find each other.</summary>
    public ClusteringKind Clustering { get; init; } = ClusteringKind.Localhost;

    /// <summary>Nodes with the same id form a cluster.</summary>
    public string ClusterId { get; init; } = "estat";

    /// <summary>URL of a DynamoDB emulator; null is AWS in <c>AWS_REGION</c>.</summary>
    public Uri? DynamoDbEndpoint { get; init; }

    /// <summary>Tables are this and <c>-silos</c> or <c>-reminders</c>.</summary>
    public string DynamoDbTablePrefix { get; init; } = "estat";

    /// <summary>Where Redis is, and how it lets this node in.</summary>
    public RedisOptions Redis { get; init; } = new();

    /// <summary>Where this silo listens for other silos.</summary>
    public ListenAddress SiloAddr { get; init; } = new(IPAddress.Loopback, 11111);

    /// <summary>Where this silo listens for gateways; at a gateway with localhost clustering, the silos to connect to.</summary>
    public IReadOnlyList<ListenAddress> SiloClientAddr { get; init; } = [new(IPAddress.Loopback, 30000)];

    /// <summary>Under which address others reach this silo; null is that of <see cref="SiloAddr"/>.</summary>
    public IPAddress? AdvertisedIp { get; init; }

    /// <summary><see cref="SiloAddr"/> of the silo that the others ask, with localhost clustering; null is this one.</summary>
    public ListenAddress? SeedAddr { get; init; }

    /// <summary>What fails together with this silo, such as an availability zone; null if nobody says.</summary>
    public string? Zone { get; init; }

    /// <summary>What <c>ACK=replica</c> means while no other silo is alive.</summary>
    public ReplicaDegradedPolicy ReplicaDegraded { get; init; } = ReplicaDegradedPolicy.Reject;

    /// <summary>Time that another silo may take to hold a copy.</summary>
    public TimeSpan ReplicaTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time that a gateway waits for a silo's answer.</summary>
    public TimeSpan SiloTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time between two probes of another silo, and how long its answer may take. Three that fail in a row make a silo suspect.</summary>
    public TimeSpan MembershipProbe { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections that a silo takes at once on each of its two ports, from silos and from gateways.</summary>
    public int SiloMaxConnections { get; init; } = 1024;

    /// <summary>PEM file of this node's certificate; null is no TLS between nodes.</summary>
    public string? TlsCert { get; init; }

    /// <summary>PEM file of its private key.</summary>
    public string? TlsKey { get; init; }

    /// <summary>PEM file of the authority that signed every node's certificate.</summary>
    public string? TlsCa { get; init; }

    /// <summary>Under which address others reach this silo.</summary>
    public IPAddress Advertised => AdvertisedIp ?? SiloAddr.Address ?? IPAddress.Loopback;
}
