// A silo's process, with or without collecting HTTP: one engine, one Orleans silo, one listener, from joining to leaving.
using System.Net.Sockets;
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Collect.Hosting;
using Estat.Collect.Http;
using Estat.Grains.Administration;
using Estat.Grains.Replication;
using Estat.Http.Access;
using Estat.Http.Listening;
using Estat.Http.Options;
using Estat.Node.Logging;
using Estat.Node.Running;
using Estat.Node.Telemetry;
using Estat.Silo.Administration;
using Estat.Silo.Clustering;
using Estat.Silo.Dashboard;
using Estat.Silo.Ports;
using Estat.Silo.Replication;
using Estat.Silo.Tls;
using Orleans.Configuration;

namespace Estat.Silo.Hosting;

/// <summary>
/// Owns the order of things. Start: engine, silo, listener. Stop: readiness, requests in flight, batches, listener; then the silo leaves. Until it
/// has left, the others know that it is there, and gateways are told that it is draining.
/// </summary>
internal sealed partial class SiloServer : INodeServer
{
    private static readonly TimeSpan LongestLeaving = TimeSpan.FromSeconds(5);

    private readonly EstatOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly IObjectStore _store;
    private readonly PrometheusText _metrics;
    private readonly OtlpExport? _otlp;
    private readonly SiloParts _parts;
    private readonly SiloPeers _others = new();
    private readonly SpoolReminders _spools = new();
    private readonly IHost _host;
    private readonly EndLimit _end;
    private readonly IClusteringProvider _clustering;
    private readonly HttpCertificate? _certificate;
    private readonly WriteKeys? _keys;
    private readonly HttpFront _front;
    private bool _isListening;

    /// <summary>Puts the node together and takes its folders.</summary>
    /// <exception cref="IOException">A folder is owned by another process or cannot be written.</exception>
    /// <exception cref="OptionException">A certificate cannot be read, write keys cannot be used, or this build has no such clustering.</exception>
    internal SiloServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        _time = time;
        _clustering = ClusteringProviders.Of(options);
        var tls = NodeTls.Of(options.Cluster);
        Signals = new StopSignals(time, limit);
        _loggers = LogSetup.Create(options.Node, isTerminal);
        _logger = _loggers.CreateLogger<SiloServer>();
        _end = new EndLimit(options.Node.ShutdownTimeout, time, _logger);
        _certificate = HttpCertificate.Of(options.Http, time, _loggers);
        _store = ObjectStores.Open(options.Collect.ObjectStorage, time);
        _keys = options.Cluster.Role == NodeRole.Silo ? null : WriteKeys.Open(options.WriteKeys, time, _loggers.CreateLogger<WriteKeys>());
        var peers = new ReplicaPeers(options.Cluster.Zone);
        var replicas = new Replicas(options.Collect, new ReplicaSetup(peers, options.Cluster.ReplicaDegraded), time, _loggers);
        Engine = new Engine(options.Collect, _store, time, _loggers, replication: replicas);
        _keys?.Observe(Engine.Instruments.Meter);
        _metrics = new PrometheusText(Engine.Instruments.Meter);
        _otlp = OtlpExport.For(options.Node);
        _parts = new SiloParts(options, Engine, peers, replicas.Store, time);

        bool isCollecting = options.Cluster.Role != NodeRole.Silo;
        var administration = new NodeAdministration(
            options.Collect, options.Keys.AreConfigured,
                AdministeredNode.Of(Engine, Name, isCollecting ? "both" : "silo", _store.Description, isCollecting) with
                {
                    Spools = _spools,
                },
            _others, Signals.First, time, _loggers);
        OpenFiles files = OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys));
        (int connections, int ofHttp) = SiloPorts.Share(options, files);
        if (connections < options.Cluster.SiloMaxConnections || ofHttp < options.Http.MaxConnections)
        {
            LogFewOpenFiles(_logger, files.Limit, connections, options.Cluster.SiloMaxConnections, ofHttp, options.Http.MaxConnections);
        }

        var closed = Engine.Instruments.Meter.CreateCounter<long>(
            "estat_silo_connections_closed_total",
            description: "Connections to a silo's ports that were closed, because they were silent or there was no room");
        var ports = new SiloPorts(options, connections, time, reason => closed.Add(1, new KeyValuePair<string, object?>("reason", reason)), _logger);
        Engine.Instruments.Meter.CreateObservableGauge(
            "estat_silo_connections", () => ports.Connections, description: "Connections to a silo's ports, of other silos and of gateways");
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(_loggers);
        builder.Services.AddSingleton<IHostLifetime>(Signals);
        builder.UseOrleans(silo =>
        {
            ClusterSetup.Apply(silo, options);
            _clustering.AddTo(silo);
            silo.Configure<EndpointOptions>(endpoints => Bind(endpoints, options.Cluster));
            silo.Configure<SiloOptions>(target => target.SiloName = Name);
            _parts.AddTo(silo);
            silo.Services.AddSingleton<IFatalErrorHandler>(provider => provider.GetRequiredService<FatalEnd>());
            silo.Services.AddSingleton<FatalEnd>();
            silo.Services.AddSingleton(Signals);
            if (_clustering.KeepsTable)
            {
                silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, TablePresence>();
            }

            silo.AddGrainService<AdminSiloGrain>();
            silo.Services.AddSingleton<AdminSiloClient>();
            silo.Services.AddSingleton(administration.Desk);
            DashboardPages.Add(silo);
            if (tls is not null)
            {
                silo.UseTls(tls.Apply);
            }

            ports.Guard(silo);
        });
        _host = builder.Build();
        var surface = new HttpSurface(
            options.Collect, options.Http, options.Node, new EngineHealth(Engine), _metrics, Engine.Instruments, Engine.Requests, time, _loggers,
            [DashboardPages.Of(_host.Services), .. administration.Pages], _keys, options.Keys.OpenIngest, administration.Tail);
        _front = new HttpFront(
            options.Http with { MaxConnections = ofHttp }, OpenFiles.Of(ofHttp, FilesNeeded.Of(options.Collect, options.Keys)),
            options.Collect.MaxBodySize, Signals, _loggers, Engine.Requests,
            options.Cluster.Role == NodeRole.Silo ? surface.OperatorsOnly() : surface.Collecting(Engine.Ingest, Engine.Levels),
            surface.Relief, _certificate);
        _certificate?.Observe(Engine.Instruments.Meter);
        _front.Observe(Engine.Instruments.Meter);
    }

    /// <summary>The core.</summary>
    internal Engine Engine { get; }

    /// <summary>What ends the node.</summary>
    internal StopSignals Signals { get; }

    /// <summary>What runs in the silo gets these.</summary>
    internal IServiceProvider Services => _host.Services;

    /// <summary>Where it listens for HTTP, once started.</summary>
    internal Uri Address => _front.Address;

    private string Name => $"{Environment.MachineName}:{_options.Cluster.SiloAddr.Port}";

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        Signals.Register();
        Task joining = JoinAsync();
        if (await Task.WhenAny(joining, Signals.First).ConfigureAwait(false) != joining)
        {
            return; // a membership that does not answer must not delay the end of the process
        }

        await joining.ConfigureAwait(false);
        _others.Join(_host.Services);
        _spools.Join(_host.Services);
        _keys?.Start(Engine.State); // nobody sends before it is known what was used of the day
        await _front.StartAsync().ConfigureAwait(false);
        _isListening = true;
        if (_options.Cluster.Role != NodeRole.Silo)
        {
            KeysAtStart.Tell(_keys, _options.Http, _options.Keys, _logger);
        }

        Introduce();
        _ = WarnOfStorageAsync();
    }

    /// <inheritdoc/>
    public async Task<int> RunAsync()
    {
        string signal = await Signals.First.ConfigureAwait(false);
        long started = _time.GetTimestamp();
        _end.Begin();
        LogDraining(_logger, signal, Engine.Ledger.Read().Buffered + Engine.Ledger.Read().Spooled, GoDuration.Format(_options.Node.ShutdownTimeout));
        Engine.BeginDrain();
        await new RequestDrain(Engine.Requests, _time).WaitAsync(_options.Node.ShutdownTimeout, Signals.Second).ConfigureAwait(false);
        TimeSpan leaving = Min(_options.Node.ShutdownTimeout / 5, LongestLeaving);
        TimeSpan left = _end.LeftForDrain(leaving + (_otlp is null ? TimeSpan.Zero : OtlpExport.LongestDispose));
        long lost = await _parts.Drain.RunAsync(left, Signals.Second).ConfigureAwait(false);
        LogDrained(_logger, _time.GetElapsedTime(started).TotalSeconds, Engine.Ledger.Read().Stored, Engine.Ledger.Read().Spooled, Engine.DlqFiles,
            lost);
        if (_isListening)
        {
            await _end.StopListenerAsync(_front).ConfigureAwait(false);
            await _end.TryAsync("leave the cluster", leaving, _host.StopAsync).ConfigureAwait(false);
            // It has left, or cannot: nothing shall wait for an answer of the table any longer.
            await _end.TryAsync("leave the membership", leaving, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
        }

        return lost == 0 && !_host.Services.GetRequiredService<FatalEnd>().HasStruck ? 0 : 1;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.DisposeListenerAsync(_front).ConfigureAwait(false);
        _certificate?.Dispose();
        await _end.TryAsync("end the silo", LongestLeaving, _ => ((IAsyncDisposable)_host).DisposeAsync().AsTask()).ConfigureAwait(false);
        await _end.TryAsync("leave the membership", LongestLeaving, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
        _metrics.Dispose();
        _otlp?.Dispose();
        _keys?.Dispose();
        await Engine.DisposeAsync().ConfigureAwait(false);
        Signals.Dispose();
        _loggers.Dispose();
    }

    private static void Bind(EndpointOptions endpoints, Http.Options.ClusterOptions cluster)
    {
        endpoints.AdvertisedIPAddress = cluster.Advertised;
        endpoints.SiloPort = cluster.SiloAddr.Port;
        endpoints.GatewayPort = cluster.SiloClientAddr[0].Port;
        endpoints.SiloListeningEndpoint = ClusterSetup.EndPointOf(cluster.SiloAddr);
        endpoints.GatewayListeningEndpoint = ClusterSetup.EndPointOf(cluster.SiloClientAddr[0]);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    // As in the standalone server: nobody waits for it, events are taken meanwhile.
    private async Task WarnOfStorageAsync()
    {
        if (await Engine.Sink.AskAsync().ConfigureAwait(false) is { } fault && !Signals.First.IsCompleted)
        {
            LogStorageDoesNotAnswer(_logger, fault.Message);
        }
    }

    // What Orleans says of a start that failed, in one line with what to do.
    private async Task JoinAsync()
    {
        try
        {
            if (_clustering.KeepsTable)
            {
                IMembershipTable table = _host.Services.GetRequiredService<IMembershipTable>();
                await table.InitializeMembershipTableAsync(true, CancellationToken.None).ConfigureAwait(false);
                MembershipTableData rows = await table.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
                SiloAddress self = _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
                TableClock.Check(rows.Members.Select(row => row.Item1), self, _time.GetUtcNow());
            }

            await _host.StartAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error.GetBaseException() is SocketException { SocketErrorCode: not SocketError.ConnectionRefused } socket)
        {
            Http.Options.ClusterOptions cluster = _options.Cluster;
            throw new IOException(
                $"the silo cannot start at SILO_ADDR={ClusterSetup.EndPointOf(cluster.SiloAddr)}, "
                    + $"SILO_CLIENT_ADDR={ClusterSetup.EndPointOf(cluster.SiloClientAddr[0])} ({socket.Message}). Name addresses and ports of this "
                    + "machine that are free.",
                error);
        }
        catch (Exception) when (_host.Services.GetRequiredService<JoinCheck>().Refusal is { } refusal)
        {
            throw new OptionException(refusal); // Orleans cannot stop what has not started
        }
        catch (Exception error) when (error is not OptionException && !Signals.First.IsCompleted)
        {
            throw new IOException(
                $"cluster {_options.Cluster.ClusterId} cannot be joined by {_clustering.Description} "
                    + $"({error.GetBaseException().Message.TrimEnd('.')}). Check that it answers, and that this node may use it.",
                error);
        }
    }

    private void Introduce()
    {
        Http.Options.ClusterOptions cluster = _options.Cluster;
        ClusterMembershipSnapshot members = _host.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot;
        SiloAddress self = _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        string[] others = [.. members.Members.Values.Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(self))
            .Select(member => member.Name)];
        LogWho(_logger, Name, Engine.Instance, Path.GetFullPath(_options.Collect.SpoolDir), cluster.Zone ?? "none");
        LogJoined(
            _logger, cluster.ClusterId, _clustering.Description, self.Endpoint.ToString(), others.Length == 0 ? "no other silo"
                : string.Join(", ", others));
        LogServes(
            _logger, cluster.Role.ToString().ToUpperInvariant(), _front.Bound, ClusterSetup.EndPointOf(cluster.SiloClientAddr[0]).ToString(),
            string.Join(", ", Engine.Levels.Select(level => level.ToText())), _options.Collect.Ack.ToText(), _store.Description,
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

    [LoggerMessage(Level = LogLevel.Information, Message = "It joined cluster {Cluster} by {Clustering} as {Address}, beside {Others}")]
    private static partial void LogJoined(ILogger logger, string cluster, string clustering, string address, string others);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Role {Role}: HTTP on {Http}, gateways on {Gateways}; ack levels {Levels}, by default {Ack}; objects go to {Storage} "
            + "under {Prefix}/")]
    private static partial void LogServes(
        ILogger logger, string role, string http, string gateways, string levels, string ack, string storage, string prefix);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Storage does not work now: {Fault}. The node takes events, and keeps them until storage works again")]
    private static partial void LogStorageDoesNotAnswer(ILogger logger, string fault);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Signal}: draining {Events} events within {Limit}; a second signal leaves them on the disk at once")]
    private static partial void LogDraining(ILogger logger, string signal, long events, string limit);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Drained in {Seconds:0.00} s: {Stored} events stored by this process, {Spooled} left in the spool, {DlqFiles} files in "
            + "the DLQ, {Lost} events lost; leaving the cluster")]
    private static partial void LogDrained(ILogger logger, double seconds, long stored, long spooled, long dlqFiles, long lost);
}
