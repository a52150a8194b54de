// A silo's process, with or without collecting HTTP: one engine, one Orleans silo, one listener.
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Collect.Hosting;
using Estat.Collect.Http;
using Estat.Grains.Administration;
using Estat.Grains.Replication;
using Estat.Http.Listening;
using Estat.Http.Options;
using Estat.Node.Running;
using Estat.Silo.Administration;
using Estat.Silo.Clustering;
using Estat.Silo.Dashboard;
using Estat.Silo.Ports;
using Estat.Silo.Replication;
using Estat.Silo.Tls;
using Orleans.Configuration;

namespace Estat.Silo.Hosting;

/// <summary>Chooses the clustering, puts engine and silo together, and hands both to the host.</summary>
internal sealed partial class SiloServer : INodeServer
{
    private readonly EstatOptions _options;
    private readonly NodeFrame _frame;
    private readonly SiloMembership _membership;
    private readonly NodeHost _host;
    private readonly string _storage;
    private readonly ILogger _logger;

    /// <summary>Puts the node together and takes its folders.</summary>
    /// <exception cref="IOException">A folder is owned by another process or cannot be written.</exception>
    /// <exception cref="OptionException">A certificate cannot be read, write keys cannot be used, or this build has no such clustering.</exception>
    internal SiloServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        IClusteringProvider clustering = ClusteringProviders.Of(options);
        var tls = NodeTls.Of(options.Cluster);
        _frame = new NodeFrame(options.Http, options.Node, time, isTerminal, limit);
        _logger = _frame.Loggers.CreateLogger<SiloServer>();
        IObjectStore store = ObjectStores.Open(options.Collect.ObjectStorage, time);
        _storage = store.Description;
        bool isCollecting = options.Cluster.Role != NodeRole.Silo;
        WriteKeys? keys = isCollecting ? WriteKeys.Open(options.WriteKeys, time, _frame.Loggers.CreateLogger<WriteKeys>()) : null;
        var peers = new ReplicaPeers(options.Cluster.Zone);
        var replicas = new Replicas(options.Collect, new ReplicaSetup(peers, options.Cluster.ReplicaDegraded), time, _frame.Loggers);
        Engine = new Engine(options.Collect, store, time, _frame.Loggers, replication: replicas);
        var others = new SiloPeers();
        var spools = new SpoolReminders();
        var collect = new CollectCapability(
            options.Collect, options.Keys, keys, Engine,
            AdministeredNode.Of(Engine, Name, isCollecting ? "both" : "silo", _storage, isCollecting) with { Spools = spools }, others,
            _frame.Services);
        var parts = new SiloParts(options, Engine, collect.Run, peers, replicas.Store, time);
        SiloPorts ports = PortsWithin(OpenFiles.Of(options.Http.MaxConnections, collect.FilesNeeded), out int ofHttp);
        void OnJoined(IServiceProvider services)
        {
            others.Join(services);
            spools.Join(services);
        }

        _membership = new SiloMembership(options, _frame, clustering, OnJoined, silo =>
        {
            silo.Configure<EndpointOptions>(endpoints => Bind(endpoints, options.Cluster));
            silo.Configure<SiloOptions>(target => target.SiloName = Name);
            parts.AddTo(silo);
            silo.AddGrainService<AdminSiloGrain>();
            silo.Services.AddSingleton<AdminSiloClient>();
            silo.Services.AddSingleton(collect.Desk);
            DashboardPages.Add(silo);
            if (tls is not null)
            {
                silo.UseTls(tls.Apply);
            }

            ports.Guard(silo);
        });
        _host = new NodeHost(_frame, [collect], Introduce, _membership, ofHttp, [DashboardPages.Of(_membership.Services)]);
    }

    /// <summary>The core.</summary>
    internal Engine Engine { get; }

    /// <summary>What ends the node.</summary>
    internal StopSignals Signals => _frame.Signals;

    /// <summary>What runs in the silo gets these.</summary>
    internal IServiceProvider Services => _membership.Services;

    /// <summary>Where it listens for HTTP, once started.</summary>
    internal Uri Address => _host.Address;

    private string Name => $"{Environment.MachineName}:{_options.Cluster.SiloAddr.Port}";

    /// <inheritdoc/>
    public Task StartAsync() => _host.StartAsync();

    /// <inheritdoc/>
    public Task<int> RunAsync() => _host.RunAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private SiloPorts PortsWithin(OpenFiles files, out int ofHttp)
    {
        (int connections, ofHttp) = SiloPorts.Share(_options, files);
        if (connections < _options.Cluster.SiloMaxConnections || ofHttp < _options.Http.MaxConnections)
        {
            LogFewOpenFiles(_logger, files.Limit, connections, _options.Cluster.SiloMaxConnections, ofHttp, _options.Http.MaxConnections);
        }

        var closed = Engine.Instruments.Meter.CreateCounter<long>(
            "estat_silo_connections_closed_total",
            description: "Connections to a silo's ports that were closed, because they were silent or there was no room");
        var ports = new SiloPorts(
            _options, connections, _frame.Time, reason => closed.Add(1, new KeyValuePair<string, object?>("reason", reason)), _logger);
        Engine.Instruments.Meter.CreateObservableGauge(
            "estat_silo_connections", () => ports.Connections, description: "Connections to a silo's ports, of other silos and of gateways");
        return ports;
    }

    private static void Bind(EndpointOptions endpoints, Http.Options.ClusterOptions cluster)
    {
        endpoints.AdvertisedIPAddress = cluster.Advertised;
        endpoints.SiloPort = cluster.SiloAddr.Port;
        endpoints.GatewayPort = cluster.SiloClientAddr[0].Port;
        endpoints.SiloListeningEndpoint = ClusterSetup.EndPointOf(cluster.SiloAddr);
        endpoints.GatewayListeningEndpoint = ClusterSetup.EndPointOf(cluster.SiloClientAddr[0]);
    }

    private void Introduce(NodeHost host)
    {
        Http.Options.ClusterOptions cluster = _options.Cluster;
        LogWho(_logger, Name, Engine.Instance, Path.GetFullPath(_options.Collect.SpoolDir), cluster.Zone ?? "none");
        _membership.Introduce();
        LogServes(
            _logger, cluster.Role.ToString().ToUpperInvariant(), host.Bound, ClusterSetup.EndPointOf(cluster.SiloClientAddr[0]).ToString(),
            string.Join(", ", Engine.Levels.Select(level => level.ToText())), _options.Collect.Ack.ToText(), _storage,
            _options.Collect.Storage.RawPrefix);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This process may open {Limit} files: each of its two ports takes {Connections} connections "
            + "(SILO_MAX_CONNECTIONS={Asked}), HTTP {Http} (MAX_CONNECTIONS={HttpAsked}). "
            + "Raise the limit (ulimit -n, LimitNOFILE) or lower the options")]
    private static partial void LogFewOpenFiles(ILogger logger, long? limit, int connections, int asked, int http, int httpAsked);

    [LoggerMessage(Level = LogLevel.Information, Message = "This is silo {Name}, instance {Instance}, spool in {Spool}, zone {Zone}")]
    private static partial void LogWho(ILogger logger, string name, string instance, string spool, string zone);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Role {Role}: HTTP on {Http}, gateways on {Gateways}; ack levels {Levels}, by default {Ack}; objects go to {Storage} "
            + "under {Prefix}/")]
    private static partial void LogServes(
        ILogger logger, string role, string http, string gateways, string levels, string ack, string storage, string prefix);
}
