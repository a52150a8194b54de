// What makes an Orleans silo one of Estat's: the same in the program and in tests' clusters.
using Estat.Api.Options;
using Estat.Collect.Hosting;
using Estat.Grains.Forwarding;
using Estat.Grains.Hosting;
using Estat.Grains.Recovery;
using Estat.Grains.Replication;
using Estat.Silo.Clustering;
using Estat.Silo.Replication;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Estat.Silo.Hosting;

/// <summary>An engine and what stands around it in a silo.</summary>
internal sealed class SiloParts
{
    // A message may be sent again once its connection broke: that takes two attempts to connect, each as long as a call.
    private const int CallsRemembered = 4;
    private static readonly TimeSpan LeastRemembered = TimeSpan.FromSeconds(10);

    private readonly EstatOptions _options;
    private readonly Engine _engine;
    private readonly EngineRun _run;
    private readonly ReplicaPeers _peers;
    private readonly IReplicaHolder _holder;
    private readonly TimeProvider _time;

    /// <param name="options">Checked options.</param>
    /// <param name="engine">Not started; stays its owner's to dispose of.</param>
    /// <param name="run">Its start and its drain.</param>
    /// <param name="peers">What the engine was given to find partners.</param>
    /// <param name="holder">Its copies of other silos' batches.</param>
    /// <param name="time">The clock.</param>
    internal SiloParts(EstatOptions options, Engine engine, EngineRun run, ReplicaPeers peers, IReplicaHolder holder, TimeProvider time)
    {
        _options = options;
        _engine = engine;
        _run = run;
        _peers = peers;
        _holder = holder;
        _time = time;
    }

    /// <summary>Adds the grains' needs, the metadata by which other silos know this one, and what follows its lifecycle.</summary>
    internal void AddTo(ISiloBuilder silo)
    {
        TimeSpan remembered = _options.Cluster.SiloTimeout * CallsRemembered;
        var intake = new PacketIntake(
            _engine.Ingest, _engine.Levels, _engine.Instance, remembered > LeastRemembered ? remembered : LeastRemembered, _time);
        var agreed = new AgreedSettings(_options.Collect, _options.Cluster);
        var metadata = new Dictionary<string, string>
        {
            [SiloMetadataNames.Instance] = _engine.Instance, [SiloMetadataNames.Spool] = _engine.SpoolId,
            [SiloMetadataNames.Settings] = string.Join('\n', agreed.Lines),
        };
        if (_options.Cluster.Zone is { } zone)
        {
            metadata[SiloMetadataNames.Zone] = zone;
        }

        silo.UseSiloMetadata(metadata);
        silo.AddPlacementDirector<SpoolPlacementStrategy, SpoolPlacementDirector>();
        silo.AddGrainService<ReplicaGrain>();
        IServiceCollection services = silo.Services;
        services.AddSingleton(_options);
        services.AddSingleton(_options.Collect);
        services.AddSingleton(_options.Cluster);
        services.AddSingleton(_time);
        services.AddSingleton(intake);
        services.AddSingleton(_holder);
        services.AddSingleton(_peers);
        services.AddSingleton<ReplicaGrainClient>();
        services.AddSingleton(agreed);
        services.AddSingleton(provider => new JoiningSilos(
            provider.GetRequiredService<ILocalSiloDetails>().Name, agreed, _time, provider.GetRequiredService<ILogger<JoiningSilos>>()));
        services.AddSingleton<JoinCheck>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<JoinCheck>());
        services.AddSingleton(new ClusterInstruments(_engine.Instruments.Meter));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(new EngineLifecycle(_run, _options.Node.ShutdownTimeout));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, MembershipWatch>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SpoolReminderArming>();

        // As instances: what a container makes itself it disposes of, and these are their owner's.
        services.AddSingleton(_engine);
    }
}
