// Collecting, as a node that keeps events itself does it: the standalone server, and a silo with or without HTTP of its own.
using System.Diagnostics.Metrics;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Administration;
using Estat.Http.Answering;
using Estat.Http.FastDoor;
using Estat.Http.Health;
using Estat.Http.Metrics;
using Estat.Http.Routing;

namespace Estat.Collect.Http;

/// <summary>Owns the engine and the write keys.</summary>
internal sealed partial class CollectCapability : ICapability
{
    private readonly CollectOptions _options;
    private readonly WriteKeyOptions _keyOptions;
    private readonly NodeServices _node;
    private readonly WriteKeys? _keys;
    private readonly bool _isCollecting;
    private readonly EngineHealth _health;
    private readonly CollectHttp? _http;
    private readonly NodeAdministration _administration;
    private readonly ILogger _logger;
    private long _began;

    /// <param name="options">Checked options.</param>
    /// <param name="keyOptions">Whether keys are needed.</param>
    /// <param name="keys">The write keys; null when everybody may send. They become this one's.</param>
    /// <param name="engine">Not started; becomes this one's.</param>
    /// <param name="role">What the node is, for its pages.</param>
    /// <param name="peers">The nodes beside it.</param>
    /// <param name="node">What the node gives.</param>
    internal CollectCapability(
        CollectOptions options, WriteKeyOptions keyOptions, WriteKeys? keys, Engine engine, AdministeredNode role, IPeerNodes peers,
        NodeServices node)
    {
        _options = options;
        _keyOptions = keyOptions;
        _node = node;
        _keys = keys;
        _isCollecting = role.IsCollecting;
        Engine = engine;
        Run = new EngineRun(engine);
        _health = new EngineHealth(engine);
        _logger = node.Loggers.CreateLogger<CollectCapability>();
        _administration = new NodeAdministration(options, keyOptions.AreConfigured, role, peers, node.Stopping, node.Time, node.Loggers);
        _http = _isCollecting
            ? new CollectHttp(
                options, node, engine.Ingest, engine.Levels, engine.Instruments, engine.Requests, keys, keyOptions.OpenIngest, _administration.Tail)
            : null;
        keys?.Observe(engine.Instruments.Meter);
    }

    /// <summary>The core.</summary>
    internal Engine Engine { get; }

    /// <summary>Its start and its drain, which a silo's own life can begin as well.</summary>
    internal EngineRun Run { get; }

    /// <summary>Answers for this node; what a gateway asks a silo's.</summary>
    internal IAdminDesk Desk => _administration.Desk;

    /// <inheritdoc/>
    public string Name => "collect";

    /// <inheritdoc/>
    public Meter Meter => Engine.Instruments.Meter;

    /// <inheritdoc/>
    public RequestCounters HttpRequests => Engine.Requests;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, PathHandler> Routes => _http?.Routes ?? new Dictionary<string, PathHandler>();

    /// <inheritdoc/>
    public IReadOnlyList<IFastRoute> FastRoutes => _http?.FastRoutes ?? [];

    /// <inheritdoc/>
    public IReadOnlyList<Page> Pages => [.. _http?.Pages ?? [], .. _administration.Pages];

    /// <inheritdoc/>
    public Func<string>? Describe => _http?.Describe;

    /// <inheritdoc/>
    public int FilesNeeded => Collect.Http.FilesNeeded.Of(_options, _keyOptions);

    /// <inheritdoc/>
    public int LongestQuery => _options.MaxBodySize; // GET /collect carries an event in its query

    /// <inheritdoc/>
    public TimeSpan Closing => TimeSpan.Zero;

    /// <inheritdoc/>
    public string? NotReadyBecause => _health.NotReadyBecause;

    /// <inheritdoc/>
    public Task<SinkFault?> AskSinkAsync() => _health.AskSinkAsync();

    /// <inheritdoc/>
    public void Start()
    {
        Run.Start();
        _keys?.Start(Engine.State); // nobody sends before it is known what was used of the day
    }

    /// <inheritdoc/>
    public void OnListening()
    {
        if (_isCollecting)
        {
            KeysAtStart.Tell(_keys, _node.Http, _keyOptions, _logger);
        }

        if (_options.Ack == AckLevel.Memory)
        {
            LogMemoryOnly(_logger);
        }

        _ = WarnOfStorageAsync();
    }

    /// <inheritdoc/>
    public void BeginDrain(string signal, TimeSpan limit)
    {
        _began = _node.Time.GetTimestamp();
        LogDraining(_logger, signal, Engine.Ledger.Read().Buffered + Engine.Ledger.Read().Spooled, GoDuration.Format(limit));
        Engine.BeginDrain();
    }

    /// <inheritdoc/>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        using CancellationTokenRegistration hurried = hurry.Register(() => LogHurried(_logger));
        long lost = await Run.DrainAsync(budget, hurry).ConfigureAwait(false);
        LogDrained(
            _logger, _node.Time.GetElapsedTime(_began).TotalSeconds, Engine.Ledger.Read().Stored, Engine.Ledger.Read().Spooled, Engine.DlqFiles,
            lost);
        return lost;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _keys?.Dispose();
        await Engine.DisposeAsync().ConfigureAwait(false);
    }

    // A wrong bucket or missing credentials would otherwise be told by the first upload, FLUSH_INTERVAL after the first event. Nobody waits for it:
    // events are taken meanwhile.
    private async Task WarnOfStorageAsync()
    {
        if (await Engine.Sink.AskAsync().ConfigureAwait(false) is { } fault && !_node.Stopping.IsCompleted)
        {
            LogStorageDoesNotAnswer(_logger, fault.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Storage does not work now: {Fault}. The node takes events, and keeps them until storage works again")]
    private static partial void LogStorageDoesNotAnswer(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Ack level memory: an acknowledged event survives a drain and a storage outage, not a kill -9")]
    private static partial void LogMemoryOnly(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Signal}: draining {Events} events within {Limit}; a second signal leaves them on the disk at once")]
    private static partial void LogDraining(ILogger logger, string signal, long events, string limit);

    [LoggerMessage(Level = LogLevel.Information, Message = "Second signal: events that are not stored yet stay in the spool, or go to the DLQ")]
    private static partial void LogHurried(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "Drained in {Seconds:0.00} s: {Stored} events stored by this process, {Spooled} left in "
        + "the spool, {DlqFiles} files in the DLQ, {Lost} events lost")]
    private static partial void LogDrained(ILogger logger, double seconds, long stored, long spooled, long dlqFiles, long lost);
}
