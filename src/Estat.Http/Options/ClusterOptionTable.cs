// The table of the options that only a cluster's nodes have, and what holds between them.
using System.Net;
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Http.Options.ClusterOptions>;

namespace Estat.Http.Options;

/// <summary>The table of <see cref="ClusterOptions"/>.</summary>
internal static class ClusterOptionTable
{
    private const string AddressOf = "host:port, such as 127.0.0.1:11111, or :11111 for every interface";
    private const string FilePath = "a file's path";
    private static readonly ClusterOptions Default = new();

    /// <summary>Every option, in the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.OneOf("ROLE", "both", [("both", NodeRole.Both), ("silo", NodeRole.Silo), ("gateway", NodeRole.Gateway)],
            "silo keeps events; gateway takes events over HTTP and forwards them to silos; both does both.",
            (c, v) => c with { Role = v }),
        Option.OneOf("CLUSTERING", "localhost",
            [("localhost", ClusteringKind.Localhost), ("redis", ClusteringKind.Redis), ("dynamodb", ClusteringKind.DynamoDb)],
            "How silos find each other. localhost is for one machine.", (c, v) => c with { Clustering = v }),
        Option.Text("CLUSTER_ID", Default.ClusterId, "1 to 100 letters, digits, - or _", "Nodes with the same id form a cluster.",
            v => IsName(v, 100), (c, v) => c with { ClusterId = v }),
        Option.Url("DYNAMODB_ENDPOINT", "URL of a DynamoDB emulator; the node sends it no credentials. Without it: AWS in AWS_REGION.",
            (c, v) => c with { DynamoDbEndpoint = v }),
        Option.Text("DYNAMODB_TABLE_PREFIX", Default.DynamoDbTablePrefix, "1 to 100 letters, digits, - or _",
            "Tables are <prefix>-silos and <prefix>-reminders. The node creates them if they are missing.", v => IsName(v, 100),
            (c, v) => c with { DynamoDbTablePrefix = v }),
        .. RedisOptionTable.All,
        Option.Text("SILO_ADDR", "127.0.0.1:11111", AddressOf, "Where this silo listens for other silos.", IsAddress,
            (c, v) => c with { SiloAddr = Parse(v) }),
        new Option("SILO_CLIENT_ADDR", "127.0.0.1:30000", AddressOf + "; several, separated by commas, at a gateway",
            "Where this silo listens for gateways; at a gateway with CLUSTERING=localhost: the silos it forwards events to.", BindClientAddresses),
        Option.Text("ADVERTISED_IP", "that of SILO_ADDR", "an IP address of this machine", "IP address at which other nodes reach this silo.",
            v => IPAddress.TryParse(v, out IPAddress? ip) && !IsAny(ip), (c, v) => c with { AdvertisedIp = IPAddress.Parse(v) }),
        Option.Text("SEED_ADDR", "", "host:port, such as 127.0.0.1:11111",
            "With CLUSTERING=localhost: SILO_ADDR of the first silo, which the others ask for the list of silos. Without it: this silo's own.",
            v => ListenAddress.TryParse(v, out ListenAddress seed) && seed.Address is { } ip && !IsAny(ip) && seed.Port > 0,
            (c, v) => c with { SeedAddr = Parse(v) }),
        Option.Text("ZONE", "", "1 to 100 letters, digits, - or _", "Name of this silo's zone: what fails together. Copies go to silos of another "
            + "zone.",
            v => IsName(v, 100), (c, v) => c with { Zone = v }),
        Option.OneOf("REPLICA_DEGRADED", "reject", [("reject", ReplicaDegradedPolicy.Reject), ("disk", ReplicaDegradedPolicy.Disk)],
            "For ACK=replica while no other silo is alive: reject answers 503, disk acknowledges events at disk (202).",
            (c, v) => c with { ReplicaDegraded = v }),
        Option.Duration("REPLICA_TIMEOUT", Default.ReplicaTimeout, "50ms", "1m", "Time that another silo may take to hold a copy. Keep it below "
            + "SILO_TIMEOUT: otherwise one dead silo makes gateways avoid every silo that replicates to it.",
            (c, v) => c with { ReplicaTimeout = v }),
        Option.Duration("SILO_TIMEOUT", Default.SiloTimeout, "50ms", "1m", "Time that a gateway waits for a silo's answer.",
            (c, v) => c with { SiloTimeout = v }),
        Option.Duration("MEMBERSHIP_PROBE", Default.MembershipProbe, "100ms", "1m",
            "Time between two probes of another silo, and time for its answer. After three failed probes in a row the silo is suspect.",
            (c, v) => c with { MembershipProbe = v }),
        Option.Number("SILO_MAX_CONNECTIONS", Default.SiloMaxConnections, 8, 100_000,
            "Most open connections on SILO_ADDR, and as many on SILO_CLIENT_ADDR. Fewer if the limit of open files is too low.",
            (c, v) => c with { SiloMaxConnections = (int)v }),
        Option.Text("TLS_CERT", "", FilePath, "PEM file of this node's certificate. It turns on TLS between silos and gateways; both sides are "
            + "checked.",
            OptionTexts.IsPath,
            (c, v) => c with { TlsCert = v }),
        Option.Text("TLS_KEY", "", FilePath, "PEM file of the certificate's private key.", OptionTexts.IsPath, (c, v) => c with { TlsKey = v }),
        Option.Text("TLS_CA", "", FilePath, "PEM file of the authority that signed every node's certificate.", OptionTexts.IsPath,
            (c, v) => c with { TlsCa = v }),
    ];

    /// <summary>Checks what holds between options.</summary>
    internal static void CheckTogether(ClusterOptions cluster)
    {
        RedisOptionTable.CheckTogether(cluster);
        if (cluster.Role != NodeRole.Gateway)
        {
            if (cluster.SiloClientAddr is not [var clientAddress])
            {
                throw OptionTexts.Wrong(
                    "SILO_CLIENT_ADDR", string.Join(',', cluster.SiloClientAddr.Select(Text)), $"one address at a silo: {AddressOf}");
            }

            if (cluster.AdvertisedIp is null && (cluster.SiloAddr.Address is not { } ip || IsAny(ip)))
            {
                throw OptionTexts.Wrong("ADVERTISED_IP", "", "an IP address of this machine, needed because SILO_ADDR is every interface");
            }

            if (cluster.SiloAddr == clientAddress)
            {
                throw OptionTexts.Wrong("SILO_CLIENT_ADDR", Text(clientAddress), "an address other than SILO_ADDR");
            }
        }

        if ((cluster.TlsCert is null) != (cluster.TlsKey is null) || (cluster.TlsCert is null) != (cluster.TlsCa is null))
        {
            (string missing, string? value) = cluster.TlsCert is null ? ("TLS_CERT", cluster.TlsCert) : cluster.TlsKey is null
                ? ("TLS_KEY", cluster.TlsKey) : ("TLS_CA", cluster.TlsCa);
            throw OptionTexts.Wrong(missing, value ?? "", "a file's path, because TLS needs TLS_CERT, TLS_KEY and TLS_CA");
        }
    }

    private static ClusterOptions BindClientAddresses(ClusterOptions cluster, string text)
    {
        string[] items = text.Split(',', StringSplitOptions.TrimEntries);
        return items.All(IsAddress)
            ? cluster with { SiloClientAddr = [.. items.Select(Parse)] }
            : throw OptionTexts.Wrong("SILO_CLIENT_ADDR", text, $"{AddressOf}; several, separated by commas, at a gateway");
    }

    private static string Text(ListenAddress address) => $"{address.Address}:{address.Port}";

    private static bool IsName(string text, int most) =>
        text.Length <= most && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    // Others must be told the port, so it cannot be any that is free.
    private static bool IsAddress(string text) => ListenAddress.TryParse(text, out ListenAddress address) && address.Port > 0;

    private static ListenAddress Parse(string text)
    {
        _ = ListenAddress.TryParse(text, out ListenAddress address);
        return address;
    }

    private static bool IsAny(IPAddress ip) => ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any);
}
