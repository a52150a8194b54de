// Membership and reminders, in code: configured by settings, the DynamoDB providers misread the session token.
using System.Net;
using Estat.Base.Options;
using Estat.Collect.Options;
using Orleans.Configuration;

namespace Estat.Silo.Hosting;

/// <summary>How silos find each other, and how gateways find silos.</summary>
internal static class Clustering
{
    private const int MissedProbes = 3;
    private static readonly TimeSpan LeastRefresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostRefresh = TimeSpan.FromSeconds(30);

    /// <summary>Whose this node is. The service id is the cluster's: reminders belong to it.</summary>
    internal static void Name(Orleans.Configuration.ClusterOptions target, EstatOptions options)
    {
        target.ClusterId = options.Cluster.ClusterId;
        target.ServiceId = options.Cluster.ClusterId;
    }

    /// <summary>Membership and reminders of a silo.</summary>
    internal static void Apply(ISiloBuilder silo, EstatOptions options)
    {
        Collect.Options.ClusterOptions cluster = options.Cluster;
        silo.Configure<Orleans.Configuration.ClusterOptions>(target => Name(target, options));
        silo.Configure<ClusterMembershipOptions>(membership => Hurry(membership, cluster.MembershipProbe));
        if (cluster.Clustering == ClusteringKind.Localhost)
        {
            silo.UseDevelopmentClustering(EndPointOf(cluster.SeedAddr ?? cluster.SiloAddr with { Address = cluster.Advertised }));
            silo.UseInMemoryReminderService();
            return;
        }

        silo.UseDynamoDBClustering((DynamoDBClusteringOptions table) =>
        {
            table.Service = ServiceOf(options);
            table.TableName = SilosTable(cluster);
            table.UseProvisionedThroughput = false;
        });
        silo.UseDynamoDBReminderService(table =>
        {
            table.Service = ServiceOf(options);
            table.TableName = $"{cluster.DynamoDbTablePrefix}-reminders";
            table.UseProvisionedThroughput = false;
        });
    }

    /// <summary>The list of silos for a gateway, from DynamoDB.</summary>
    internal static void Apply(IClientBuilder client, EstatOptions options)
    {
        client.Configure<Orleans.Configuration.ClusterOptions>(target => Name(target, options));
        client.UseDynamoDBClustering((DynamoDBGatewayOptions table) =>
        {
            table.Service = ServiceOf(options);
            table.TableName = SilosTable(options.Cluster);
            table.UseProvisionedThroughput = false;
        });
    }

    /// <summary>How often the table is read and written.</summary>
    internal static TimeSpan RefreshOf(TimeSpan probe) => TimeSpan.FromTicks(Math.Clamp(2 * probe.Ticks, LeastRefresh.Ticks, MostRefresh.Ticks));

    /// <summary>What it joins, for people.</summary>
    internal static string Describe(EstatOptions options) => options.Cluster.Clustering == ClusteringKind.Localhost
        ? "localhost clustering"
        : $"DynamoDB table {SilosTable(options.Cluster)} at {ServiceOf(options)}";

    /// <summary>Where that is; every interface if it has no address.</summary>
    internal static IPEndPoint EndPointOf(ListenAddress address) => new(address.Address ?? IPAddress.Any, address.Port);

    // A silo that died should be known to be dead within three probes and a vote; Orleans' own numbers are made for minutes. One that hangs is not voted against
    // for as long as three of the longest probes, four times the usual ones by default, since it last said anything. The table is read and written in
    // proportion: who is stale in it for three turns does not keep a newcomer from joining.
    private static void Hurry(ClusterMembershipOptions membership, TimeSpan probe)
    {
        TimeSpan refresh = RefreshOf(probe);
        membership.ProbeTimeout = probe;
        membership.MaxProbeTimeout = probe;
        membership.NumMissedProbesLimit = MissedProbes;
        membership.TableRefreshTimeout = refresh;
        membership.IAmAliveTablePublishTimeout = refresh;
    }

    private static string SilosTable(Collect.Options.ClusterOptions cluster) => $"{cluster.DynamoDbTablePrefix}-silos";

    private static string ServiceOf(EstatOptions options) => options.Cluster.DynamoDbEndpoint?.ToString().TrimEnd('/') ?? options.AwsRegion;
}
