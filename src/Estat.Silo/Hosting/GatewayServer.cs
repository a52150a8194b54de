// A gateway's process: HTTP in front of the silos. It keeps nothing, and has no disk.
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Base.Options;
using Estat.Base.Threading;
using Estat.Collect.Http;
using Estat.Grains.Forwarding;
using Estat.Http.Access;
using Estat.Http.Health;
using Estat.Http.Listening;
using Estat.Node.Logging;
using Estat.Node.Running;
using Estat.Node.Telemetry;
using Estat.Silo.Administration;
using Estat.Silo.Clustering;
using Estat.Silo.Forwarding;
using Estat.Silo.Tls;

namespace Estat.Silo.Hosting;

/// <summary>Start: links, listener. Stop: readiness, requests in flight, packets in flight, listener, links.</summary>
internal sealed partial class GatewayServer : INodeServer, INodeHealth
{
    private static readonly TimeSpan LongestLinksEnd = TimeSpan.FromSeconds(5);

    private readonly EstatOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly IClusteringProvider _clustering;
    private readonly SiloLinks _links;
    private readonly ForwardingIngest _ingest;
    private readonly PrometheusText _metrics;
    private readonly OtlpExport? _otlp;
    private readonly HttpCertificate? _certificate;
    private readonly WriteKeys? _keys;
    private readonly HttpFront _front;
    private readonly EndLimit _end;

    /// <summary>Puts the node together.</summary>
    /// <exception cref="OptionException">A certificate cannot be read, write keys cannot be used, or this build has no such clustering.</exception>
    internal GatewayServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        _time = time;
        _clustering = ClusteringProviders.Of(options);
        var tls = NodeTls.Of(options.Cluster);
        Signals = new StopSignals(time, limit);
        _loggers = LogSetup.Create(options.Node, isTerminal);
        _logger = _loggers.CreateLogger<GatewayServer>();
        _end = new EndLimit(options.Node.ShutdownTimeout, time, _logger);
        _certificate = HttpCertificate.Of(options.Http, time, _loggers);
        _keys = WriteKeys.Open(options.WriteKeys, time, _loggers.CreateLogger<WriteKeys>());
        _links = new SiloLinks(_clustering.OpenSiloList(_loggers), options, tls, time, _loggers);
        _ingest = new ForwardingIngest(_links, options.Collect, time, _loggers.CreateLogger<ForwardingIngest>());
        _keys?.Observe(_ingest.Instruments.Meter);
        _metrics = new PrometheusText(_ingest.Instruments.Meter);
        _otlp = OtlpExport.For(options.Node);
        var administration = new NodeAdministration(
            options.Collect, options.Keys.AreConfigured,
            new AdministeredNode(
                Name, "gateway", _ingest.Levels, _ingest.Requests, _ingest.Instruments, () => _ingest.AcceptedRequests,
                () => _ingest.NotReadyBecause),
            new LinkedPeers(_links), Signals.First, time, _loggers);
        var surface = new HttpSurface(
            options.Collect, options.Http, options.Node, this, _metrics, _ingest.Instruments, _ingest.Requests, time, _loggers, administration.Pages,
            _keys, options.Keys.OpenIngest, administration.Tail);
        var files = OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys));
        _front = new HttpFront(
            options.Http, files, options.Collect.MaxBodySize, Signals, _loggers, _ingest.Requests, surface.Collecting(_ingest, _ingest.Levels),
                surface.Relief, _certificate);
        _certificate?.Observe(_ingest.Instruments.Meter);
        _front.Observe(_ingest.Instruments.Meter);
    }

    /// <summary>What ends the node.</summary>
    internal StopSignals Signals { get; }

    /// <summary>Where it listens for HTTP, once started.</summary>
    internal Uri Address => _front.Address;

    // There may be several on a machine, and a silo beside them.
    private string Name =>
        ListenAddress.TryParse(_options.Http.HttpAddr, out ListenAddress address) ? $"{Environment.MachineName}:{address.Port}"
            : Environment.MachineName;

    /// <inheritdoc/>
    public string? NotReadyBecause => _ingest.NotReadyBecause;

    /// <inheritdoc/>
    public Task<SinkFault?> AskSinkAsync() => Task.FromResult(_ingest.NotReadyBecause is { } reason ? new SinkFault(reason, reason) : null);

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        Signals.Register();
        _links.Start();
        _keys?.Start(state: null); // it has no disk
        await _front.StartAsync().ConfigureAwait(false);
        KeysAtStart.Tell(_keys, _options.Http, _options.Keys, _logger);
        LogServes(
            _logger, _front.Bound, _options.Cluster.ClusterId, _links.Source,
            string.Join(", ", _ingest.Levels.Select(level => level.ToText())), _options.Collect.Ack.ToText());
    }

    /// <inheritdoc/>
    public async Task<int> RunAsync()
    {
        string signal = await Signals.First.ConfigureAwait(false);
        long started = _time.GetTimestamp();
        _end.Begin();
        LogDraining(_logger, signal, GoDuration.Format(_options.Node.ShutdownTimeout));
        _ingest.BeginDrain();
        await new RequestDrain(_ingest.Requests, _time).WaitAsync(_options.Node.ShutdownTimeout, Signals.Second).ConfigureAwait(false);
        TimeSpan left = _end.LeftForDrain((_options.Node.ShutdownTimeout / 10) + (_otlp is null ? TimeSpan.Zero : OtlpExport.LongestDispose));
        long unknown = await _ingest.DrainAsync(left, Signals.Second).ConfigureAwait(false);
        await _end.StopListenerAsync(_front).ConfigureAwait(false);
        LogDrained(_logger, _time.GetElapsedTime(started).TotalSeconds, unknown);
        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.DisposeListenerAsync(_front).ConfigureAwait(false);
        _certificate?.Dispose();
        _metrics.Dispose();
        _otlp?.Dispose();
        _keys?.Dispose();
        _ingest.Dispose();
        await _end.TryAsync("close the connections to the silos", LongestLinksEnd, _ => _links.DisposeAsync().AsTask()).ConfigureAwait(false);
        await _end.TryAsync("leave the membership", LongestLinksEnd, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
        Signals.Dispose();
        _loggers.Dispose();
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "This is a gateway: HTTP on {Http}, for the silos of cluster {Cluster} ({Silos}); ack levels {Levels}, by default {Ack}")]
    private static partial void LogServes(ILogger logger, string http, string cluster, string silos, string levels, string ack);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Signal}: draining within {Limit}")]
    private static partial void LogDraining(ILogger logger, string signal, string limit);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Drained in {Seconds:0.00} s; {Events} events were in flight at the end and not acknowledged")]
    private static partial void LogDrained(ILogger logger, double seconds, long events);
}
