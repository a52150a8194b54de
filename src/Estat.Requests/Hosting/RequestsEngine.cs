// What runs behind the paths of Requests, from start to drain.
using Estat.Base.Storage;
using Estat.Requests.Deciding;
using Estat.Requests.Webhooks;
using Estat.Requests.Drawing;
using Estat.Requests.Intake;
using Estat.Requests.Options;
using Estat.Requests.Outcomes;
using Estat.Requests.Sqlite;
using Estat.Requests.Storing;
using Estat.Requests.Tracing;

namespace Estat.Requests.Hosting;

/// <summary>Opens a store; nothing is sent or written before it is started.</summary>
/// <param name="options">Checked options.</param>
/// <param name="rule">What decides requests of first-come and draw.</param>
/// <param name="observer">Told of every change that this node commits.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Where failures are told.</param>
internal delegate IRequestStore OpenStore(
    RequestsOptions options, IDecisionRule rule, IStoreObserver observer, TimeProvider time, ILoggerFactory loggers);

/// <summary>Owns the store and all that works on it in the background.</summary>
internal sealed partial class RequestsEngine : IAsyncDisposable
{
    private readonly IRequestStore _store;
    private readonly DecisionWatch? _watch;
    private readonly DrawClock _drawClock;
    private readonly BodyRetention _retention;
    private readonly WebhookBell _bell = new();
    private readonly WebhookClient _webhookClient;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly ILogger _logger;
    private readonly List<Task> _working = [];
    private Task _calling = Task.CompletedTask;

    /// <summary>Opens the store.</summary>
    /// <exception cref="StoreException">The database cannot be used.</exception>
    /// <exception cref="IOException">The folder cannot be used, or another process owns it.</exception>
    /// <param name="options">Checked options.</param>
    /// <param name="lake">Where outcomes go; stays its owner's.</param>
    /// <param name="rawPrefix">RAW_PREFIX.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where everything is told.</param>
    /// <param name="rule">What decides; null: the rules of the policies.</param>
    /// <param name="open">Opens the store; null: SQLite in REQUESTS_DIR.</param>
    internal RequestsEngine(
        RequestsOptions options, IObjectStore lake, string rawPrefix, TimeProvider time, ILoggerFactory loggers, IDecisionRule? rule = null,
        OpenStore? open = null)
    {
        _time = time;
        _logger = loggers.CreateLogger<RequestsEngine>();
        Cache = new RequestCache(options.Store == StoreKind.Sqlite ? options.Cache : 0);
        Waiters = new DecisionWaiters(options.MaxWaiters, time);
        _store = (open ?? OpenSqlite)(options, rule ?? new DecisionRule(), new StoreObservers(Cache, Waiters, _bell, Traced), time, loggers);
        _watch = _store.IsShared ? new DecisionWatch(_store, Waiters, time) : null;
        Draws = new DrawOffice(_store, time);
        DrawLists = new DrawLists(_store);
        _retention = new BodyRetention(_store, options.BodyRetention, time, loggers.CreateLogger<BodyRetention>());
        Outcomes = new OutcomeWriter(_store, lake, rawPrefix, options, Traced, time, loggers.CreateLogger<OutcomeWriter>());
        _drawClock = new DrawClock(_store, Draws, time, loggers.CreateLogger<DrawClock>());
        _webhookClient = new WebhookClient(options, Traced, time);
        Webhooks = new WebhookWorker(_store, _webhookClient, _bell, options, time, loggers.CreateLogger<WebhookWorker>());
    }

    /// <summary>Where everything is.</summary>
    internal IRequestStore Store => _store;

    /// <summary>Requests in memory.</summary>
    internal RequestCache Cache { get; }

    /// <summary>Which requests are traced.</summary>
    internal TracedRequests Traced { get; } = new();

    /// <summary>Who waits for a decision.</summary>
    internal DecisionWaiters Waiters { get; }

    /// <summary>Who draws.</summary>
    internal DrawOffice Draws { get; }

    /// <summary>The lists of draws that were held.</summary>
    internal DrawLists DrawLists { get; }

    /// <summary>Who brings outcomes to the lake.</summary>
    internal OutcomeWriter Outcomes { get; }

    /// <summary>Who calls webhooks.</summary>
    internal WebhookWorker Webhooks { get; }

    /// <summary>Where webhooks may lead.</summary>
    internal WebhookAddresses WebhookAddresses => _webhookClient.Addresses;

    /// <summary>Begins.</summary>
    internal void Start()
    {
        _store.Start();
        if (_watch is not null)
        {
            _working.Add(WatchAsync(_watch.RunAsync(_ending.Token), "waiting for decisions of other nodes"));
        }

        _working.Add(WatchAsync(_drawClock.RunAsync(_ending.Token), "draws"));
        _working.Add(WatchAsync(Outcomes.RunAsync(_ending.Token), "outcomes"));
        _working.Add(WatchAsync(_retention.RunAsync(_ending.Token), "the retention of bodies"));
        _working.Add(_calling = WatchAsync(Webhooks.RunAsync(_ending.Token), "webhooks"));
    }

    /// <summary>Nothing is accepted and no webhook is called any more, and nobody waits any longer.</summary>
    internal void BeginDrain()
    {
        _store.BeginDrain();
        _bell.Close();
        Waiters.Drain();
    }

    /// <summary>Lets calls of webhooks end, ends what works in the background, and brings outcomes to the lake, while there is time. What is left
    /// waits in the database.</summary>
    /// <param name="budget">Time for all of it.</param>
    /// <param name="hurry">Cancelled when all of it shall be left to the next start.</param>
    internal async Task DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        using var calls = new CancellationTokenSource(budget / 2, _time);
        using var limit = new CancellationTokenSource(budget, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(calls.Token, hurry);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, hurry);
        await _calling.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // A store that hangs ends none of them.
            await EndWorkAsync().WaitAsync(end.Token).ConfigureAwait(false);
            await Outcomes.TryWriteAllAsync(end.Token).WaitAsync(end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The next start goes on with the same batch.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndWorkAsync().ConfigureAwait(false);
        _webhookClient.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
        DrawLists.Dispose();
        _ending.Dispose();
    }

    private static SqliteRequestStore OpenSqlite(
        RequestsOptions options, IDecisionRule rule, IStoreObserver observer, TimeProvider time, ILoggerFactory loggers) =>
        new(options, rule, observer, time, loggers.CreateLogger<SqliteRequestStore>());

    private async Task EndWorkAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_working).ConfigureAwait(false);
    }

    private async Task WatchAsync(Task work, string what)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogEnded(_logger, error, what);
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The part of Requests that does {What} has failed and does no more. Restart the node")]
    private static partial void LogEnded(ILogger logger, Exception error, string what);
}
