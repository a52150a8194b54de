// The store for any number of nodes: a DynamoDB table.
using System.Collections.Concurrent;
using Estat.Requests.Aws.Accepting;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.DeadLetters;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Aws.Outcomes;
using Estat.Requests.Aws.Searching;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Hosting;

/// <summary>
/// Any node accepts; one node decides a campaign (<see cref="CampaignDecider"/>). The table is the truth: what a node holds in memory it can read
/// again.
/// </summary>
internal sealed class DynamoRequestStore : IRequestStore
{
    // Transactions of acceptance at once.
    private const int WritesAtOnce = 128;

    private readonly DynamoTable _table;
    private readonly StoreClock _clock = new(TimeProvider.System);
    private readonly CampaignBook _book;
    private readonly CampaignChanges _changes;
    private readonly CampaignCloser _closer;
    private readonly RequestChanges _requests;
    private readonly DeciderOffice _deciders;
    private readonly OutcomeLog _outcomes;
    private readonly TableSearch _search;
    private readonly TableWatch _watch;
    private readonly TableDraw _draw;
    private readonly OldBodies _bodies;
    private readonly DeadLetterQueue? _queue;
    private readonly DeadLetterCopies? _copies;
    private readonly AcceptanceRoom _room;
    private readonly SemaphoreSlim _writes = new(WritesAtOnce);
    private readonly ConcurrentDictionary<string, CampaignAcceptor> _acceptors = new(StringComparer.Ordinal);
    private readonly IStoreObserver _observer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();
    private Task _looking = Task.CompletedTask;
    private Task _copying = Task.CompletedTask;
    private int _isDisposed;

    /// <summary>Sends nothing before it is started.</summary>
    /// <param name="options">Table and limits.</param>
    /// <param name="region">AWS_REGION.</param>
    /// <param name="rule">What decides requests of first-come and draw.</param>
    /// <param name="observer">Told of every change that this node commits.</param>
    /// <param name="time">The clock of windows and leases of attempts.</param>
    /// <param name="logger">Where failures are told.</param>
    internal DynamoRequestStore(
        RequestsOptions options, string region, IDecisionRule rule, IStoreObserver observer, TimeProvider time, ILogger logger)
    {
        _observer = observer;
        _time = time;
        _logger = logger;
        _table = new DynamoTable(options, region, _clock);
        _book = new CampaignBook(_table);
        _changes = new CampaignChanges(_table, _book, time);
        _closer = new CampaignCloser(_table, _book, _clock, time);
        _requests = new RequestChanges(_table, _book, time);
        _deciders = new DeciderOffice(
            new DeciderParts(_table, _book, _closer, rule, OnMoved, options, time, logger), $"{Environment.MachineName}-{Guid.NewGuid():N}");
        _outcomes = new OutcomeLog(_table, _book, IsOwn, time);
        _search = new TableSearch(_table, _book);
        _watch = new TableWatch(_table, _book, _clock, _deciders, logger);
        _draw = new TableDraw(_table, _book, _search);
        _bodies = new OldBodies(_table, _book, IsOwn);
        _queue = options.DeadLetterQueue is null ? null : new DeadLetterQueue(options, region);
        _copies = _queue is null ? null : new DeadLetterCopies(_table, _book, _search, _queue, IsOwn, logger);
        _room = new AcceptanceRoom(options.Queue, options.QueueBytes);
    }

    /// <inheritdoc/>
    public string Description => _table.Description;

    /// <inheritdoc/>
    public bool IsShared => true;

    /// <inheritdoc/>
    public int QueueLength => _room.Count;

    /// <inheritdoc/>
    public IReadOnlyCollection<Campaign> Campaigns => _book.Published;

    /// <inheritdoc/>
    public string? Fault => _watch.Fault;

    /// <inheritdoc/>
    public bool IsHeld => _book.Store is { IsHeld: true };

    /// <inheritdoc/>
    public PendingOutcomes PendingOutcomes => _outcomes.Pending;

    /// <inheritdoc/>
    public int Deciding => _deciders.Count;

    /// <inheritdoc/>
    public IEnumerable<(string Outcome, long Count)> Attempts =>
    [
        ("answered", _table.Counters.Answered), ("conflict", _table.Counters.Of(FailureKind.Conflict)),
        ("throttled", _table.Counters.Of(FailureKind.Throttled)), ("lost", _table.Counters.Of(FailureKind.Lost)),
        ("refused", _table.Counters.Of(FailureKind.Permanent)),
    ];

    /// <inheritdoc/>
    public bool Decides(Campaign campaign) => IsOwn(campaign.Id);

    /// <inheritdoc/>
    public void Start()
    {
        _looking = Task.Run(() => _watch.RunAsync(_ending.Token));
        _copying = _copies is null ? Task.CompletedTask : Task.Run(() => _copies.RunAsync(_ending.Token));
    }

    /// <inheritdoc/>
    public void BeginDrain() => _room.Drain();

    /// <inheritdoc/>
    public Campaign? FindCampaign(string id) => _book.Find(id)?.Campaign;

    /// <inheritdoc/>
    public async ValueTask<Campaign?> FindCampaignAsync(string id)
    {
        if (FindCampaign(id) is not { } known)
        {
            // Perhaps it was made at another node just now: the next look knows, and serves all who ask.
            await _watch.NextAsync().ConfigureAwait(false);
            return FindCampaign(id);
        }

        return known;
    }

    /// <inheritdoc/>
    public async ValueTask<Campaign?> ReadCampaignAsync(string id) => (await _book.RefreshAsync(id).ConfigureAwait(false))?.Campaign;

    /// <inheritdoc/>
    public Campaign? FindCampaign(int ordinal) => _book.Find(ordinal)?.Campaign;

    /// <inheritdoc/>
    public Task<CampaignChange> PutCampaignAsync(string id, CampaignSettings settings, long? expected) =>
        RungAsync(id, _changes.PutAsync(id, settings, expected));

    /// <inheritdoc/>
    public async Task<CampaignChange> CloseAsync(string id)
    {
        if (await _book.RefreshAsync(id).ConfigureAwait(false) is not { } state)
        {
            return new CampaignChange(CampaignChangeOutcome.NotFound, null);
        }

        DateTimeOffset now = _time.GetUtcNow();
        if (state.Campaign.ClosedAt is null && CampaignRules.WhyNotClosable(state.Campaign, now) is { } why)
        {
            return new CampaignChange(CampaignChangeOutcome.Refused, state.Campaign, why);
        }

        if (state.Campaign.ClosedAt is null)
        {
            await _closer.CloseAsync(state, now, isByOperator: true).ConfigureAwait(false);
        }

        _deciders.Find(id)?.Ring();
        return new CampaignChange(CampaignChangeOutcome.Changed, state.Campaign);
    }

    /// <inheritdoc/>
    public Task<CampaignChange> PauseAsync(string id, bool isPaused) => RungAsync(id, _changes.PauseAsync(id, isPaused));

    /// <inheritdoc/>
    public async ValueTask<Acceptance> AcceptAsync(Submission submission)
    {
        if (_book.Find(submission.CampaignId) is not { } state)
        {
            return new Acceptance(AcceptanceOutcome.NoCampaign);
        }

        if (IsHeld)
        {
            return new Acceptance(AcceptanceOutcome.Held);
        }

        if (Fault is not null)
        {
            return new Acceptance(AcceptanceOutcome.NotTaken);
        }

        CampaignAcceptor acceptor = _acceptors.GetOrAdd(
            submission.CampaignId, static (_, the) => new CampaignAcceptor(the.Store._table, the.Store._book, the.State, the.Store._room,
                the.Store._writes, the.Store._time, the.Store._logger), (Store: this, State: state));
        Acceptance acceptance = await acceptor.AcceptAsync(submission).ConfigureAwait(false);
        if (acceptance.Outcome == AcceptanceOutcome.Accepted)
        {
            _deciders.Find(submission.CampaignId)?.Ring();
        }

        return acceptance;
    }

    /// <inheritdoc/>
    public async ValueTask<RequestRecord?> FindAsync(RequestId id) =>
        await _table.GetAsync(Keys.Request(id), RequestItem.WithoutBody).ConfigureAwait(false) is { } item ? RequestItem.Read(item).Shown : null;

    /// <inheritdoc/>
    public async Task<Withdrawal> WithdrawAsync(RequestId id)
    {
        Withdrawal withdrawal = await _requests.WithdrawAsync(id).ConfigureAwait(false);
        if (withdrawal is { Refusal: null, Request: { } request })
        {
            _observer.OnChanged([request]);
            Ring(request);
        }

        return withdrawal;
    }

    /// <inheritdoc/>
    public Task<RequestPage> SearchAsync(RequestFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
        _search.SearchAsync(filter, cursor, limit, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RequestId>> RedriveAsync(IReadOnlyList<RequestId> ids, bool isDryRun)
    {
        var redriven = new List<RequestId>();
        foreach (RequestId[] some in ids.Distinct().Chunk(RequestChanges.RedrivesAtOnce))
        {
            redriven.AddRange(await _requests.RedriveAsync(some, isDryRun).ConfigureAwait(false));
        }

        if (!isDryRun && redriven.Count > 0)
        {
            await _book.LookAsync(CancellationToken.None).ConfigureAwait(false);
            List<RequestRecord> changed = await _search.ReadAsync(redriven, CancellationToken.None).ConfigureAwait(false);
            foreach (CampaignState state in changed.Select(request => _book.Find(request.CampaignOrdinal)).OfType<CampaignState>().Distinct())
            {
                await _book.RefreshAsync(state.Id).ConfigureAwait(false);
                _deciders.Find(state.Id)?.Ring();
            }
        }

        return redriven;
    }

    /// <inheritdoc/>
    public async Task<int> EraseUserAsync(UserId user)
    {
        int erased = 0;
        await _book.LookAsync(CancellationToken.None).ConfigureAwait(false); // a campaign may be new
        List<RequestRecord> found = await _search.OfUserAsync(user, CancellationToken.None).ConfigureAwait(false);
        foreach (RequestRecord request in found)
        {
            erased += await _requests.EraseAsync(request.Id).ConfigureAwait(false) ? 1 : 0;
        }

        return erased;
    }

    /// <inheritdoc/>
    public Task<int> DropBodiesAsync(DateTimeOffset finalBefore, int most) => _bodies.DropAsync(finalBefore.ToUnixTimeMilliseconds(), most);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RequestId>> ListForDrawAsync(Campaign campaign, CancellationToken cancellationToken) =>
        _draw.ReadAsync(campaign, cancellationToken);

    /// <inheritdoc/>
    public async Task<Campaign> FixDrawAsync(string campaignId, DrawResult result)
    {
        Campaign campaign = await _changes.FixDrawAsync(campaignId, result).ConfigureAwait(false);
        _deciders.Find(campaignId)?.Ring();
        return campaign;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Attempt>> BeginAttemptsAsync(string campaignId, int most, TimeSpan lease) =>
        _deciders.Find(campaignId)?.BeginAsync(most, lease) ?? Task.FromResult<IReadOnlyList<Attempt>>([]);

    /// <inheritdoc/>
    public Task<bool> EndAttemptAsync(Attempt attempt, AttemptResult result) =>
        _book.Find(attempt.Request.CampaignOrdinal) is { } state && _deciders.Find(state.Id) is { } decider ? decider.EndAsync(attempt, result)
            : Task.FromResult(false);

    /// <inheritdoc/>
    public Task<OutcomeBatch?> NextOutcomesAsync(int most) => _outcomes.NextAsync(most);

    /// <inheritdoc/>
    public Task OutcomesStoredAsync(OutcomeBatch batch) => _outcomes.StoredAsync(batch);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _room.Drain();
        await _ending.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        await _copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _deciders.DisposeAsync().ConfigureAwait(false);
        _queue?.Dispose();
        _table.Dispose();
        _writes.Dispose();
        _ending.Dispose();
    }

    /// <summary>Ends without a word, as a node does that is killed; for tests.</summary>
    internal async Task AbandonAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        await _deciders.StopAsync().ConfigureAwait(false);
    }

    private bool IsOwn(string campaign) => _deciders.Find(campaign) is not null;

    private void OnMoved(Campaign campaign, IReadOnlyList<RequestRecord> requests)
    {
        _observer.OnChanged(requests);
        _copies?.OnMoved(campaign, requests);
    }

    private void Ring(RequestRecord request)
    {
        if (_book.Find(request.CampaignOrdinal) is { } state)
        {
            _deciders.Find(state.Id)?.Ring();
        }
    }

    private async Task<CampaignChange> RungAsync(string id, Task<CampaignChange> change)
    {
        CampaignChange made = await change.ConfigureAwait(false);
        _deciders.Find(id)?.Ring();
        return made;
    }
}
