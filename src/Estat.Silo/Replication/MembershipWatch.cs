// Follows membership for replication: who may hold copies, and whose copies are to be finished.
using Estat.Api.Options;
using Estat.Grains.Hosting;
using Estat.Grains.Replication;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Estat.Silo.Replication;

/// <summary>
/// One loop. A silo whose instance is not known yet may still be the owner of copies that are held here: as long as there is one, nobody is told to
/// finish anything. Its instance comes from its metadata; the cache of that does not ask again for long after a failure, so the silo itself is asked
/// then.
/// </summary>
internal sealed partial class MembershipWatch(
    IClusterMembershipService membership, ISiloMetadataCache metadata, ILocalSiloDetails self, ReplicaGrainClient grains, ReplicaPeers peers,
    IReplicaHolder holder,
    JoiningSilos joining, EstatOptions options, TimeProvider time, ILogger<MembershipWatch> logger)
        : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<SiloAddress, ReplicaPartner> _known = [];
    private Task _following = Task.CompletedTask;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(MembershipWatch), ServiceLifecycleStage.Active, _ => Start(), async _ =>
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private Task Start()
    {
        _following = Task.Run(() => FollowAsync(_stop.Token));
        return Task.CompletedTask;
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (ClusterMembershipSnapshot _ in membership.MembershipUpdates.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            // The latest, which may be later than the one that woke it; while it is worked on, it may change again.
            while (!await TryApplyAsync(membership.CurrentSnapshot).ConfigureAwait(false))
            {
                await Task.Delay(BetweenAttempts, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TryApplyAsync(ClusterMembershipSnapshot snapshot)
    {
        HashSet<SiloAddress> active = [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active)
            .Select(member => member.SiloAddress)];
        bool isIn = active.Remove(self.SiloAddress);
        foreach (SiloAddress gone in _known.Keys.Where(silo => !active.Contains(silo)).ToArray())
        {
            _known.Remove(gone, out ReplicaPartner? partner);
            partner!.Leave();
            LogLeft(logger, partner.Name);
        }

        PublishPartners(); // at once: a silo that is gone must not be chosen while new ones are asked who they are
        await Task.WhenAll(active.Where(silo => !_known.ContainsKey(silo)).Select(IdentifyAsync)).ConfigureAwait(false);
        PublishPartners();
        if (active.Any(silo => !_known.ContainsKey(silo)))
        {
            return false;
        }

        if (isIn)
        {
            holder.OnNeighbours([.. _known.Values.Select(partner => partner.Instance)]);
        }

        return true;
    }

    private void PublishPartners() => peers.Partners = [.. _known.Values.Where(partner => partner.IsOfOneMind)];

    private async Task IdentifyAsync(SiloAddress silo)
    {
        IReplicaGrain grain;
        WireIdentity? identity;
        try
        {
            grain = grains.At(silo);
            identity = FromMetadata(silo) ?? await grain.WhoAsync().WaitAsync(options.Cluster.ReplicaTimeout, time).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogNotIdentified(logger, silo, error.Message);
            return;
        }

        string? difference = joining.DifferenceFrom(identity.Settings);
        var partner = new ReplicaPartner(silo, identity, grain, options.Cluster.ReplicaTimeout, time) { IsOfOneMind = difference is null };
        lock (_known)
        {
            _known[silo] = partner;
        }

        if (difference is null)
        {
            LogJoined(logger, partner.Name, identity.Zone ?? "none");
        }
        else
        {
            LogWritesElsewhere(logger, partner.Name, difference);
        }
    }

    private WireIdentity? FromMetadata(SiloAddress silo)
    {
        IReadOnlyDictionary<string, string> told = metadata.GetSiloMetadata(silo).Metadata;
        return told.GetValueOrDefault(SiloMetadataNames.Instance) is { } instance
            ? new WireIdentity(
                instance, told.GetValueOrDefault(SiloMetadataNames.Zone), told.GetValueOrDefault(SiloMetadataNames.Settings)?.Split('\n'))
            : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is there, zone {Zone}")]
    private static partial void LogJoined(ILogger logger, string silo, string zone);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Silo {Silo} writes to another place: {Difference}. It gets no copies. Silos of one CLUSTER_ID must have the same value: stop that "
            + "silo and give it the same")]
    private static partial void LogWritesElsewhere(ILogger logger, string silo, string difference);

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is gone")]
    private static partial void LogLeft(ILogger logger, string silo);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} does not say who it is: {Reason}. Until it does, this silo finishes no batches "
        + "of silos that are gone")]
    private static partial void LogNotIdentified(ILogger logger, SiloAddress silo, string reason);
}
