// Topics, as a node does it.
using System.Diagnostics.Metrics;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Health;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Estat.Topics.Hosting;
using Estat.Topics.Intake;
using Estat.Topics.Log;
using Estat.Topics.Metrics;
using Estat.Topics.Sink;

namespace Estat.Topics.Http;

/// <summary>Owns the engine.</summary>
internal sealed partial class TopicsCapability : ICapability
{
    // The log: a segment that is written, and those that the sink and readers read.
    private const int LogFiles = 64;
    private const int SinkConnections = 4;
    private const int Query = 16 * 1024;

    private readonly TopicsAccess _access;
    private readonly NodeServices _node;
    private readonly QueryService _queries;
    private readonly TopicInstruments _instruments;
    private readonly TopicRoutes _routes;
    private readonly Tokens? _tokens;
    private readonly ILogger _logger;
    private long _began;

    /// <param name="engine">Not started; becomes this one's.</param>
    /// <param name="access">Who may produce and read.</param>
    /// <param name="node">What the node gives.</param>
    /// <exception cref="Base.Options.OptionException">The file of the tokens' keys cannot be used.</exception>
    internal TopicsCapability(TopicsEngine engine, TopicsAccess access, NodeServices node)
    {
        Engine = engine;
        _access = access;
        _node = node;
        _logger = node.Loggers.CreateLogger<TopicsCapability>();
        HttpRequests = new RequestCounters();
        _tokens = access.Tokens.AreConfigured ? new Tokens(access.Tokens, node.Time, node.Loggers) : null;
        var write = WriteAccess.Of(node.Http, access.Keys, access.IsOpen, HttpRequests, node.Time);
        var cors = new Cors(node.Http, write);
        var refusals = new ProduceRefusals(engine.Options, HttpRequests);
        var intake = new ProduceIntake(
            new RequestGate(cors, write, HttpRequests), engine.Log, engine.Options, refusals, () => engine.IsDraining);
        var asked = new QueryRefusals(HttpRequests);
        _queries = new QueryService(
            engine.Options, engine.Address?.ConnectionString ?? "", engine.Log, engine.Sink is null ? null : new SinkView(engine.Sink),
            new ReaderAccess(access.Keys, _tokens, access.Tokens.FailureRate, node.Http, asked, node.Time), asked, node);
        var produce = new ProduceEndpoint(
            intake, new RequestBodies(node.Http, engine.Options.MaxBodySize, engine.Options.MaxBodySize, node.Relief),
            new ProduceLimits(engine.Options.MaxMessages, engine.Options.MaxMessageBytes), engine.Log.AckLevel, node.Time);
        _routes = new TopicRoutes(
            produce, _queries, cors, new ApiProblems(node.Time), HttpRequests,
            (new HttpRequestEnd(refusals, HttpRequests, _logger), new HttpRequestEnd(asked, HttpRequests, _logger)));
        Pages = new AdminTopicPages(engine, _queries, node).All;
        _instruments = new TopicInstruments(engine, HttpRequests, _queries.Database, _tokens);
        if (access.StartsKeys)
        {
            access.Keys?.Observe(_instruments.Meter);
        }
    }

    /// <summary>What runs behind the paths.</summary>
    internal TopicsEngine Engine { get; }

    /// <inheritdoc/>
    public string Name => "topics";

    /// <inheritdoc/>
    public Meter Meter => _instruments.Meter;

    /// <inheritdoc/>
    public RequestCounters HttpRequests { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, PathHandler> Routes => new Dictionary<string, PathHandler>();

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, PathHandler> Trees => _routes.Trees;

    /// <inheritdoc/>
    public IReadOnlyList<Page> Pages { get; }

    /// <inheritdoc/>
    public Func<string>? Describe => () => TopicsOpenApi.Write(Engine.Options);

    /// <inheritdoc/>
    public int FilesNeeded => LogFiles + SinkConnections + OperatorDesk.Connections + Engine.Options.QueryConnections;

    /// <inheritdoc/>
    public int LongestQuery => Query;

    /// <inheritdoc/>
    public TimeSpan Closing => TimeSpan.Zero;

    /// <inheritdoc/>
    public string? NotReadyBecause => Engine.IsDraining ? "draining" : Engine.Fault;

    /// <inheritdoc/>
    public Task<SinkFault?> AskSinkAsync() => Task.FromResult(
        Engine.Sink?.State is { Activity: not (SinkActivity.Running or SinkActivity.Paused) } state
            ? new SinkFault($"Messages are not stored in PostgreSQL now: {state.Why}.", $"the sink of topics is {SinkView.NameOf(state.Activity)}")
            : null);

    /// <inheritdoc/>
    public void Start()
    {
        _tokens?.Start();
        if (_access.StartsKeys)
        {
            _access.Keys?.Start(Engine.Log.State); // nobody sends before it is known what was used of the day
        }

        Engine.Start();
    }

    /// <inheritdoc/>
    public void OnListening()
    {
        IReadOnlyList<LogTopic> topics = Engine.Log.Topics;
        LogServes(
            _logger, topics.Count, topics.Sum(topic => topic.Partitions.Sum(partition => partition.End - partition.Start)), Engine.Log.Description);
        if (_access.StartsKeys)
        {
            KeysAtStart.Tell(_access.Keys, _node.Http, _access.KeyOptions, _logger);
        }

        if (Engine.Sink is null)
        {
            LogNoSink(_logger);
        }
    }

    /// <inheritdoc/>
    public void BeginDrain(string signal, TimeSpan limit)
    {
        _began = _node.Time.GetTimestamp();
        Engine.BeginDrain();
    }

    /// <inheritdoc/>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        await Engine.DrainAsync(budget, hurry).ConfigureAwait(false);
        LogDrained(_logger, _node.Time.GetElapsedTime(_began).TotalSeconds, Engine.Sink?.Progress.Sum(partition => partition.Lag) ?? 0);
        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync().ConfigureAwait(false);
        await _queries.DisposeAsync().ConfigureAwait(false);
        if (_access.StartsKeys)
        {
            _access.Keys?.Dispose();
        }

        if (_tokens is not null)
        {
            await _tokens.DisposeAsync().ConfigureAwait(false);
        }

        _instruments.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Topics: {Topics} topics with {Messages} messages in the log in {Log}")]
    private static partial void LogServes(ILogger logger, int topics, long messages, string log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "TOPICS_SINK=false: this node writes no messages to PostgreSQL; they stay in the log for "
        + "TOPICS_RETENTION")]
    private static partial void LogNoSink(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "Topics drained in {Seconds:0.00} s; {Messages} messages wait in the log")]
    private static partial void LogDrained(ILogger logger, double seconds, long messages);
}
