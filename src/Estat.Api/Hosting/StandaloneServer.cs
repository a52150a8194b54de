// The standalone server: one engine behind Kestrel, from start to drain.
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Collect.Hosting;
using Estat.Collect.Http;
using Estat.Http.Access;
using Estat.Http.Administration;
using Estat.Http.Listening;
using Estat.Node.Logging;
using Estat.Node.Running;
using Estat.Node.Telemetry;

namespace Estat.Api.Hosting;

/// <summary>Owns the order of things: storage and engine, then the listener; at a signal readiness, requests in flight, batches, then the
/// listener.</summary>
internal sealed partial class StandaloneServer : INodeServer
{
    private readonly EstatOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly HttpCertificate? _certificate;
    private readonly HttpFront _front;
    private readonly PrometheusText _metrics;
    private readonly OtlpExport? _otlp;
    private readonly IObjectStore _store;
    private readonly WriteKeys? _keys;
    private readonly ILogger _logger;
    private readonly bool _isReadAlong;
    private readonly EndLimit _end;

    /// <summary>Puts the server together.</summary>
    /// <exception cref="IOException">A folder is owned by another process or cannot be written.</exception>
    /// <exception cref="OptionException">Write keys cannot be used as they are.</exception>
    internal StandaloneServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        _time = time;
        _isReadAlong = LogSetup.IsText(options.Node, isTerminal);
        Signals = new StopSignals(time, limit);
        _loggers = LogSetup.Create(options.Node, isTerminal);
        _logger = _loggers.CreateLogger<StandaloneServer>();
        _end = new EndLimit(options.Node.ShutdownTimeout, time, _logger);
        _certificate = HttpCertificate.Of(options.Http, time, _loggers);
        _store = ObjectStores.Open(options.Collect.ObjectStorage, time);
        _keys = WriteKeys.Open(options.WriteKeys, time, _loggers.CreateLogger<WriteKeys>());
        Engine = new Engine(options.Collect, _store, time, _loggers);
        _keys?.Observe(Engine.Instruments.Meter);
        _metrics = new PrometheusText(Engine.Instruments.Meter);
        _otlp = OtlpExport.For(options.Node);
        var administration = new NodeAdministration(
            options.Collect, options.Keys.AreConfigured, AdministeredNode.Of(Engine, Environment.MachineName, "standalone", _store.Description),
                new NoPeers(), Signals.First, time,
            _loggers);
        var surface = new HttpSurface(
            options.Collect, options.Http, options.Node, new EngineHealth(Engine), _metrics, Engine.Instruments, Engine.Requests, time, _loggers,
            administration.Pages, _keys, options.Keys.OpenIngest, administration.Tail);
        var files = OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys));
        _front = new HttpFront(
            options.Http, files, options.Collect.MaxBodySize, Signals, _loggers, Engine.Requests, surface.Collecting(Engine.Ingest, Engine.Levels),
                surface.Relief, _certificate);
        _certificate?.Observe(Engine.Instruments.Meter);
        _front.Observe(Engine.Instruments.Meter);
    }

    /// <summary>The core.</summary>
    internal Engine Engine { get; }

    /// <summary>What ends the server.</summary>
    internal StopSignals Signals { get; }

    /// <summary>Where it listens, once started.</summary>
    internal Uri Address => _front.Address;

    /// <summary>A program's server.</summary>
    /// <exception cref="IOException">As the constructor.</exception>
    internal static StandaloneServer Create(EstatOptions options, bool isTerminal, ExitLimit limit) =>
        new(options, TimeProvider.System, isTerminal, limit);

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        Signals.Register();
        Engine.Start();
        _keys?.Start(Engine.State); // nobody sends before it is known what was used of the day
        await _front.StartAsync().ConfigureAwait(false);
        LogStarted(_logger, _front.Bound, _store.Description, _options.Collect.Storage.RawPrefix, _options.Collect.Ack.ToText(),
            Path.GetFullPath(_options.Collect.SpoolDir),
            Path.GetFullPath(_options.Collect.DlqDir));
        if (_isReadAlong)
        {
            LogTryIt(_logger, Address, GoDuration.Format(_options.Collect.FlushInterval));
        }

        KeysAtStart.Tell(_keys, _options.Http, _options.Keys, _logger);
        if (_options.Collect.Ack == AckLevel.Memory)
        {
            LogMemoryOnly(_logger);
        }

        _ = WarnOfStorageAsync();
    }

    /// <inheritdoc/>
    public async Task<int> RunAsync()
    {
        string signal = await Signals.First.ConfigureAwait(false);
        long started = _time.GetTimestamp();
        _end.Begin();
        LogDraining(_logger, signal, Engine.Ledger.Read().Buffered + Engine.Ledger.Read().Spooled, GoDuration.Format(_options.Node.ShutdownTimeout));
        using CancellationTokenRegistration hurried = Signals.Second.Register(() => LogHurried(_logger));
        Engine.BeginDrain();
        await new RequestDrain(Engine.Requests, _time).WaitAsync(_options.Node.ShutdownTimeout, Signals.Second).ConfigureAwait(false);
        TimeSpan left = _end.LeftForDrain(_otlp is null ? TimeSpan.Zero : OtlpExport.LongestDispose);
        long lost = await Engine.DrainAsync(left, Signals.Second).ConfigureAwait(false);
        await _end.StopListenerAsync(_front).ConfigureAwait(false);
        LogDrained(_logger, _time.GetElapsedTime(started).TotalSeconds, Engine.Ledger.Read().Stored, Engine.Ledger.Read().Spooled, Engine.DlqFiles,
            lost);
        return lost == 0 ? 0 : 1;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.DisposeListenerAsync(_front).ConfigureAwait(false);
        _certificate?.Dispose();
        _metrics.Dispose();
        _otlp?.Dispose();
        _keys?.Dispose();
        await Engine.DisposeAsync().ConfigureAwait(false);
        Signals.Dispose();
        _loggers.Dispose();
    }

    // A wrong bucket or missing credentials would otherwise be told by the first upload, FLUSH_INTERVAL after the first event. Nobody waits for it:
    // events are taken meanwhile.
    private async Task WarnOfStorageAsync()
    {
        if (await Engine.Sink.AskAsync().ConfigureAwait(false) is { } fault && !Signals.First.IsCompleted)
        {
            LogStorageDoesNotAnswer(_logger, fault.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Listening on {Address}; objects go to {Storage} under {Prefix}/, ack level {Ack}, spool in {Spool}, DLQ in {Dlq}")]
    private static partial void LogStarted(ILogger logger, string address, string storage, string prefix, string ack, string spool, string dlq);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Try it: curl -d 'hello=estat' {Address}collect — it is stored within {Flush}, or on Ctrl-C")]
    private static partial void LogTryIt(ILogger logger, Uri address, string flush);

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
