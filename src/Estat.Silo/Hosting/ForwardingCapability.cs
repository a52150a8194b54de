// Collecting, as a gateway does it: what comes over HTTP goes to the silos, and nothing is kept.
using System.Diagnostics.Metrics;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Collect.Http;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.FastDoor;
using Estat.Http.Health;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Estat.Node.Running;
using Estat.Silo.Administration;
using Estat.Silo.Forwarding;

namespace Estat.Silo.Hosting;

/// <summary>Owns the links to the silos and the write keys.</summary>
internal sealed partial class ForwardingCapability : ICapability
{
    private static readonly TimeSpan LongestLinksEnd = TimeSpan.FromSeconds(5);

    private readonly CollectOptions _options;
    private readonly WriteKeyOptions _keyOptions;
    private readonly NodeFrame _node;
    private readonly WriteKeys? _keys;
    private readonly SiloLinks _links;
    private readonly ForwardingIngest _ingest;
    private readonly CollectHttp _http;
    private readonly NodeAdministration _administration;
    private readonly ILogger _logger;
    private long _began;

    /// <param name="options">Checked options.</param>
    /// <param name="keyOptions">Whether keys are needed.</param>
    /// <param name="keys">The write keys; null when everybody may send. They become this one's.</param>
    /// <param name="links">To the silos; become this one's.</param>
    /// <param name="name">The gateway's name.</param>
    /// <param name="node">What the node has.</param>
    internal ForwardingCapability(
        CollectOptions options, WriteKeyOptions keyOptions, WriteKeys? keys, SiloLinks links, string name, NodeFrame node)
    {
        _options = options;
        _keyOptions = keyOptions;
        _node = node;
        _keys = keys;
        _links = links;
        _logger = node.Loggers.CreateLogger<ForwardingCapability>();
        _ingest = new ForwardingIngest(links, options, node.Time, node.Loggers.CreateLogger<ForwardingIngest>());
        _keys?.Observe(_ingest.Instruments.Meter);
        _administration = new NodeAdministration(
            options, keyOptions.AreConfigured,
            new AdministeredNode(
                name, "gateway", _ingest.Levels, _ingest.Requests, _ingest.Instruments, () => _ingest.AcceptedRequests,
                () => _ingest.NotReadyBecause),
            new LinkedPeers(links), node.Signals.First, node.Time, node.Loggers);
        _http = new CollectHttp(
            options, node.Services, _ingest, _ingest.Levels, _ingest.Instruments, _ingest.Requests, keys, keyOptions.OpenIngest,
            _administration.Tail);
    }

    /// <summary>The levels that a request may ask for, as text.</summary>
    internal string Levels => string.Join(", ", _ingest.Levels.Select(level => level.ToText()));

    /// <inheritdoc/>
    public string Name => "collect";

    /// <inheritdoc/>
    public Meter Meter => _ingest.Instruments.Meter;

    /// <inheritdoc/>
    public RequestCounters HttpRequests => _ingest.Requests;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, PathHandler> Routes => _http.Routes;

    /// <inheritdoc/>
    public IReadOnlyList<IFastRoute> FastRoutes => _http.FastRoutes;

    /// <inheritdoc/>
    public IReadOnlyList<Page> Pages => [.. _http.Pages, .. _administration.Pages];

    /// <inheritdoc/>
    public Func<string>? Describe => _http.Describe;

    /// <inheritdoc/>
    public int FilesNeeded => Collect.Http.FilesNeeded.Of(_options, _keyOptions);

    /// <inheritdoc/>
    public int LongestQuery => _options.MaxBodySize;

    /// <inheritdoc/>
    public TimeSpan Closing => _node.Options.ShutdownTimeout / 10;

    /// <inheritdoc/>
    public string? NotReadyBecause => _ingest.NotReadyBecause;

    /// <inheritdoc/>
    public Task<SinkFault?> AskSinkAsync() => Task.FromResult(_ingest.NotReadyBecause is { } reason ? new SinkFault(reason, reason) : null);

    /// <inheritdoc/>
    public void Start()
    {
        _links.Start();
        _keys?.Start(state: null); // it has no disk
    }

    /// <inheritdoc/>
    public void OnListening() => KeysAtStart.Tell(_keys, _node.Http, _keyOptions, _logger);

    /// <inheritdoc/>
    public void BeginDrain(string signal, TimeSpan limit)
    {
        _began = _node.Time.GetTimestamp();
        LogDraining(_logger, signal, GoDuration.Format(limit));
        _ingest.BeginDrain();
    }

    /// <inheritdoc/>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        long unknown = await _ingest.DrainAsync(budget, hurry).ConfigureAwait(false);
        LogDrained(_logger, _node.Time.GetElapsedTime(_began).TotalSeconds, unknown);
        return 0; // what was not acknowledged is not lost: its client knows
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _keys?.Dispose();
        _ingest.Dispose();
        await _node.End.TryAsync("close the connections to the silos", LongestLinksEnd, _ => _links.DisposeAsync().AsTask()).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Signal}: draining within {Limit}")]
    private static partial void LogDraining(ILogger logger, string signal, string limit);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Drained in {Seconds:0.00} s; {Events} events were in flight at the end and not acknowledged")]
    private static partial void LogDrained(ILogger logger, double seconds, long events);
}
