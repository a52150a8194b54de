// Placement by spool directory: silos publish their spool's id as metadata, a recovery grain goes where its own is.
using Estat.Collect.Hosting;
using Estat.Grains.Hosting;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace Estat.Grains.Recovery;

/// <summary>The strategy's name in grain metadata.</summary>
[GenerateSerializer, Immutable, Alias("estat.spool-placement"), SuppressReferenceTracking]
internal sealed class SpoolPlacementStrategy : PlacementStrategy;

/// <summary>Puts a grain whose key is a spool's id on the silo that has that spool.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SpoolPlacementAttribute() : PlacementAttribute(new SpoolPlacementStrategy());

/// <summary>Finds that silo. Where there is none, this one will do: the grain sees for itself that it is not at home.</summary>
internal sealed class SpoolPlacementDirector(ISiloMetadataCache metadata, Engine engine) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string spool = target.GrainIdentity.Key.ToString()!;
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        bool isLocalAllowed = silos.Contains(context.LocalSilo);
        SiloAddress? home = spool == engine.SpoolId && isLocalAllowed ? context.LocalSilo
            : silos.FirstOrDefault(silo => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(SiloMetadataNames.Spool) == spool);
        return Task.FromResult(home ?? (isLocalAllowed ? context.LocalSilo : silos[Random.Shared.Next(silos.Length)]));
    }
}
