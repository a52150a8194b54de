// The standalone server: one node with all that it does in one process.
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Collect.Hosting;
using Estat.Collect.Http;
using Estat.Http;
using Estat.Http.Administration;
using Estat.Node.Running;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Hosting;
using Estat.Requests.Http;
using Estat.Requests.Options;
using Estat.Topics.Hosting;
using Estat.Topics.Http;
using Estat.Topics.Kafka.Hosting;
using Estat.Topics.Options;

namespace Estat.Api.Hosting;

/// <summary>Chooses adapters and hands capabilities to the host.</summary>
internal sealed partial class StandaloneServer : INodeServer
{
    private readonly EstatOptions _options;
    private readonly NodeFrame _frame;
    private readonly NodeHost _host;
    private readonly Engine? _engine;
    private readonly string _storage;
    private readonly ILogger _logger;

    /// <summary>Puts the server together.</summary>
    /// <exception cref="IOException">A folder is owned by another process or cannot be written.</exception>
    /// <exception cref="OptionException">Write keys cannot be used as they are.</exception>
    internal StandaloneServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        _frame = new NodeFrame(options.Http, options.Node, time, isTerminal, limit);
        _logger = _frame.Loggers.CreateLogger<StandaloneServer>();
        IObjectStore store = ObjectStores.Open(options.Collect.ObjectStorage, time);
        _storage = store.Description;
        var capabilities = new List<ICapability>();
        bool isCollecting = options.Serve.Contains("collect");
        WriteKeys? keys = isCollecting || options.Serve.Contains("topics")
            ? WriteKeys.Open(options.WriteKeys, time, _frame.Loggers.CreateLogger<WriteKeys>()) : null;
        if (isCollecting)
        {
            _engine = new Engine(options.Collect, store, time, _frame.Loggers);
            capabilities.Add(new CollectCapability(
                options.Collect, options.Keys, keys, _engine, AdministeredNode.Of(_engine, Environment.MachineName, "standalone", _storage),
                new NoPeers(), _frame.Services));
        }

        if (options.Serve.Contains("requests"))
        {
            Requests = new RequestsEngine(
                options.Requests, store, options.Collect.Storage.RawPrefix, time, _frame.Loggers,
                open: options.Requests.Store == StoreKind.DynamoDb ? DynamoStores.In(options.Collect.Storage.AwsRegion) : null);
            capabilities.Add(new RequestsCapability(options.Requests, options.Tokens, Requests, _frame.Services));
        }

        if (options.Serve.Contains("topics"))
        {
            Topics = new TopicsEngine(
                options.Topics, time, _frame.Loggers,
                options.Topics.Log == LogKind.Kafka ? KafkaLog.Open(options.Topics, time, _frame.Loggers) : null);
            capabilities.Add(new TopicsCapability(
                Topics, new TopicsAccess(keys, options.Keys, StartsKeys: !isCollecting, options.Tokens), _frame.Services));
        }

        _host = new NodeHost(_frame, capabilities, Introduce);
    }

    /// <summary>The core of collecting.</summary>
    /// <exception cref="InvalidOperationException">It does not collect.</exception>
    internal Engine Engine => _engine ?? throw new InvalidOperationException("SERVE does not name collect");

    /// <summary>The core of requests; null without.</summary>
    internal RequestsEngine? Requests { get; }

    /// <summary>The core of topics; null without.</summary>
    internal TopicsEngine? Topics { get; }

    /// <summary>What writes the parts of <c>/openapi.json</c>.</summary>
    internal IReadOnlyList<Func<string>> Descriptions => _host.Descriptions;

    /// <summary>What ends the server.</summary>
    internal StopSignals Signals => _frame.Signals;

    /// <summary>Where it listens, once started.</summary>
    internal Uri Address => _host.Address;

    /// <summary>A program's server.</summary>
    /// <exception cref="IOException">As the constructor.</exception>
    internal static StandaloneServer Create(EstatOptions options, bool isTerminal, ExitLimit limit) =>
        new(options, TimeProvider.System, isTerminal, limit);

    /// <inheritdoc/>
    public Task StartAsync() => _host.StartAsync();

    /// <inheritdoc/>
    public Task<int> RunAsync() => _host.RunAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private void Introduce(NodeHost host)
    {
        if (_engine is null)
        {
            LogServing(_logger, host.Bound, string.Join(", ", _options.Serve));
            return;
        }

        LogStarted(_logger, host.Bound, _storage, _options.Collect.Storage.RawPrefix, _options.Collect.Ack.ToText(),
            Path.GetFullPath(_options.Collect.SpoolDir), Path.GetFullPath(_options.Collect.DlqDir));
        if (_frame.IsReadAlong)
        {
            LogTryIt(_logger, host.Address, GoDuration.Format(_options.Collect.FlushInterval));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening on {Address}; the node serves {Capabilities}")]
    private static partial void LogServing(ILogger logger, string address, string capabilities);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Listening on {Address}; objects go to {Storage} under {Prefix}/, ack level {Ack}, spool in {Spool}, DLQ in {Dlq}")]
    private static partial void LogStarted(ILogger logger, string address, string storage, string prefix, string ack, string spool, string dlq);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Try it: curl -d 'hello=estat' {Address}collect — it is stored within {Flush}, or on Ctrl-C")]
    private static partial void LogTryIt(ILogger logger, Uri address, string flush);
}
