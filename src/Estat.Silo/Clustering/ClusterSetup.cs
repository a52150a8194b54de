// What every node tells Orleans about its cluster, whatever the provider.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Options;
using Orleans.Configuration;

namespace Estat.Silo.Clustering;

/// <summary>The cluster's name, and how fast its members notice each other.</summary>
internal static class ClusterSetup
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

    /// <summary>Name and pace of a silo. The provider comes after it, and may change the service id.</summary>
    internal static void Apply(ISiloBuilder silo, EstatOptions options)
    {
        silo.Configure<Orleans.Configuration.ClusterOptions>(target => Name(target, options));
        silo.Configure<ClusterMembershipOptions>(membership => Hurry(membership, options.Cluster.MembershipProbe));
    }

    /// <summary>How often the table is read and written.</summary>
    internal static TimeSpan RefreshOf(TimeSpan probe) => TimeSpan.FromTicks(Math.Clamp(2 * probe.Ticks, LeastRefresh.Ticks, MostRefresh.Ticks));

    /// <summary>Where that is; every interface if it has no address.</summary>
    internal static IPEndPoint EndPointOf(ListenAddress address) => new(address.Address ?? IPAddress.Any, address.Port);

    // A silo that died should be known to be dead within three probes and a vote; Orleans' own numbers are made for minutes. One that hangs is not
    // voted against for as long as three of the longest probes, four times the usual ones by default, since it last said anything. The table is read
    // and written in proportion: who is stale in it for three turns does not keep a silo from joining.
    private static void Hurry(ClusterMembershipOptions membership, TimeSpan probe)
    {
        TimeSpan refresh = RefreshOf(probe);
        membership.ProbeTimeout = probe;
        membership.MaxProbeTimeout = probe;
        membership.NumMissedProbesLimit = MissedProbes;
        membership.TableRefreshTimeout = refresh;
        membership.IAmAliveTablePublishTimeout = refresh;
    }
}
