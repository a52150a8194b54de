// Requests, as a node does it.
using System.Diagnostics.Metrics;
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Health;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Estat.Requests.Campaigns;
using Estat.Requests.Hosting;
using Estat.Requests.Intake;
using Estat.Requests.Metrics;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;

namespace Estat.Requests.Http;

/// <summary>Owns the engine.</summary>
internal sealed partial class RequestsCapability : ICapability
{
    // Database, log and index of the log, by the writer and by each reader; connections of webhooks come on top.
    private const int Files = 3 * (1 + ReaderPool.Most);
    private const int Query = 16 * 1024;

    private const string PageHeaders = "Authorization, Content-Type, Prefer, If-None-Match, traceparent, tracestate";
    private const string PageReads = "ETag, Location, Preference-Applied, Retry-After";

    // To DynamoDB and SQS.
    private const int Connections = 300;

    private readonly RequestsOptions _options;
    private readonly TokenOptions _tokenOptions;
    private readonly NodeServices _node;
    private readonly RequestInstruments _instruments;
    private readonly RequestRoutes _routes;
    private readonly Tokens? _tokens;
    private readonly ILogger _logger;
    private long _began;
    private volatile bool _isDraining;

    /// <param name="options">Checked options.</param>
    /// <param name="tokens">Checked options of users' tokens.</param>
    /// <param name="engine">Not started; becomes this one's.</param>
    /// <param name="node">What the node gives.</param>
    /// <exception cref="OptionException">The file of the tokens' keys cannot be used.</exception>
    internal RequestsCapability(RequestsOptions options, TokenOptions tokens, RequestsEngine engine, NodeServices node)
    {
        _options = options;
        _tokenOptions = tokens;
        _node = node;
        Engine = engine;
        _logger = node.Loggers.CreateLogger<RequestsCapability>();
        HttpRequests = new RequestCounters();
        _tokens = tokens.AreConfigured ? new Tokens(tokens, node.Time, node.Loggers) : null;
        _instruments = new RequestInstruments(engine, HttpRequests, _tokens, node.Time);
        var refusals = new RequestRefusals(options, HttpRequests);
        var intake = new RequestIntake(options, engine.Store, engine.Cache, refusals, engine.Traced, node.Time);
        IIdentity identity = _tokens is null ? new HeaderIdentity(Header, IsLoopback, refusals)
            : new TokenIdentity(_tokens, new AddressLimits(tokens.FailureRate, null, node.Time), refusals);
        var json = new RequestJson(
            new DecisionPace(node.Time), engine.Store.FindCampaign, node.Time);
        var bodies = new RequestBodies(node.Http, options.MaxBodySize, options.MaxBodySize, node.Relief);
        _routes = new RequestRoutes(
            new AcceptEndpoint(intake, engine.Waiters, bodies, json, refusals),
            new StatusEndpoint(engine.Store, intake, engine.Waiters, json, refusals),
            new CampaignEndpoint(engine.Store, engine.DrawLists, json, refusals), identity,
            new UserCors(node.Http, PageHeaders, PageReads), refusals,
            (HttpRequests, new HttpRequestEnd(refusals, HttpRequests, _logger)));
        Pages = new AdminRequestPages(
            engine.Store, engine.Draws, engine.WebhookAddresses, json,
            new RequestBodies(node.Http, Math.Max(options.MaxBodySize, 1 << 20), 1, node.Relief), node.Time).All;
    }

    /// <summary>What runs behind the paths.</summary>
    internal RequestsEngine Engine { get; }

    /// <inheritdoc/>
    public string Name => "requests";

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
    public Func<string>? Describe => () => RequestsOpenApi.Write(_options, Header);

    /// <inheritdoc/>
    public int FilesNeeded => (_options.Store == StoreKind.Sqlite ? Files : Connections) + _options.WebhookCalls;

    /// <inheritdoc/>
    public int LongestQuery => Query;

    /// <inheritdoc/>
    public TimeSpan Closing => TimeSpan.Zero;

    /// <inheritdoc/>
    public string? NotReadyBecause => _isDraining ? "draining" : Engine.Store.Fault;

    private string Header => _options.UserHeader ?? "X-User-Id";

    private bool IsLoopback => ListenAddress.TryParse(_node.Http.HttpAddr, out ListenAddress address) && address.IsLoopback;

    /// <inheritdoc/>
    public Task<SinkFault?> AskSinkAsync() => Task.FromResult<SinkFault?>(null);

    /// <inheritdoc/>
    public void Start()
    {
        _tokens?.Start();
        Engine.Start();
    }

    /// <inheritdoc/>
    public void OnListening()
    {
        CampaignCounts[] counts = [.. Engine.Store.Campaigns.Select(campaign => campaign.Counts)];
        if (Engine.Store.IsShared)
        {
            LogShares(_logger, Engine.Store.Description);
        }
        else
        {
            LogServes(_logger, counts.Length, counts.Sum(count => count.Open), Engine.Store.Description);
        }

        if (Engine.Store.IsHeld)
        {
            LogHeld(_logger, Engine.Store.Description);
        }

        if (_tokens is not null)
        {
            LogTokens(_logger, _tokenOptions.Issuer!, _tokenOptions.Claim, _options.UserHeader is null ? "" : "; REQUESTS_USER_HEADER is ignored");
        }
        else if (IsLoopback)
        {
            LogHeaderOnLoopback(_logger, Header);
        }
    }

    /// <inheritdoc/>
    public void BeginDrain(string signal, TimeSpan limit)
    {
        _began = _node.Time.GetTimestamp();
        _isDraining = true;
        Engine.BeginDrain();
    }

    /// <inheritdoc/>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        await Engine.DrainAsync(budget, hurry).ConfigureAwait(false);
        LogDrained(_logger, _node.Time.GetElapsedTime(_began).TotalSeconds, Engine.Store.Campaigns.Sum(campaign => campaign.Counts.Open));
        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync().ConfigureAwait(false);
        if (_tokens is not null)
        {
            await _tokens.DisposeAsync().ConfigureAwait(false);
        }

        _instruments.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Requests: {Campaigns} campaigns, {Open} requests that are not decided, kept in {Dir}")]
    private static partial void LogServes(ILogger logger, int campaigns, long open, string dir);

    [LoggerMessage(Level = LogLevel.Information, Message = "Requests are kept in {Where}, which other nodes may share")]
    private static partial void LogShares(ILogger logger, string where);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The requests were restored from a backup: the node decides, but accepts nothing. Stop it, run "
            + "`estat requests restore --resume` for {Where}, and start it again")]
    private static partial void LogHeld(ILogger logger, string where);

    [LoggerMessage(Level = LogLevel.Information, Message = "Tokens of {Issuer} say who sends a request, in their claim {Claim}{Besides}")]
    private static partial void LogTokens(ILogger logger, string issuer, string claim, string besides);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The server listens on loopback alone, so it believes the header {Header}: any program on this machine can speak for any user")]
    private static partial void LogHeaderOnLoopback(ILogger logger, string header);

    [LoggerMessage(Level = LogLevel.Information, Message = "Requests drained in {Seconds:0.00} s; {Open} requests that are not decided wait in the "
        + "database")]
    private static partial void LogDrained(ILogger logger, double seconds, long open);
}
