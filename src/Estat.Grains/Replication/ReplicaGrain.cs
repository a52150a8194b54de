// The shell around the silo's copies, and the way to another silo's.
using Estat.Collect.Hosting;
using Estat.Http.Options;
using Orleans.Runtime.Services;

namespace Estat.Grains.Replication;

/// <summary>Holds nothing itself.</summary>
internal sealed class ReplicaGrain(
    GrainId id, Silo silo, ILoggerFactory loggers, IReplicaHolder holder, Engine engine, ClusterOptions cluster, JoiningSilos joining)
    : GrainService(id, silo, loggers), IReplicaGrain
{
    /// <inheritdoc/>
    public Task<WireIdentity> WhoAsync() => Task.FromResult(new WireIdentity(engine.Instance, cluster.Zone, joining.Own.Settings));

    /// <inheritdoc/>
    public Task<WireSettings> CompareAsync(WireSettings other)
    {
        joining.Judge(other);
        return Task.FromResult(joining.Own);
    }

    /// <inheritdoc/>
    public async Task<bool> HoldAsync(WireRecords records) =>
        await holder.HoldAsync(
            new ReplicaRecords(records.Key, records.OpenedUnixMs, records.FirstSequence, records.Events, records.Lines)) == ReplicaAnswer.Held;

    /// <inheritdoc/>
    public Task ReleaseAsync(IReadOnlyList<string> keys)
    {
        holder.Release(keys);
        return Task.CompletedTask;
    }
}

/// <summary>Finds the replica grain of a silo.</summary>
/// <param name="services">The silo's services.</param>
public sealed class ReplicaGrainClient(IServiceProvider services) : GrainServiceClient<IReplicaGrain>(services)
{
    /// <summary>The one on that silo.</summary>
    public IReplicaGrain At(SiloAddress silo) => GetGrainService(silo);
}
