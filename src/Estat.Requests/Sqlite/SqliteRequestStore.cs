// The embedded store: one SQLite database in REQUESTS_DIR.
using System.Collections.Concurrent;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Storing;
using Microsoft.Data.Sqlite;

namespace Estat.Requests.Sqlite;

/// <summary>
/// One thread writes (<see cref="StoreWriter"/>), any thread reads. What others see of campaigns is what the last commit made of them. The folder has
/// one owner.
/// </summary>
internal sealed class SqliteRequestStore : IRequestStore
{
    private readonly StorePlace _place;
    private readonly SqliteConnection _connection;
    private readonly StoreTransaction _transaction;
    private readonly WriteQueue _queue;
    private readonly StoreWriter _writer;
    private readonly ReaderPool _readers;
    private readonly RequestSearch _search;
    private readonly IStoreObserver _observer;
    private readonly int _mostAttempts;
    private readonly string _description;
    private readonly ConcurrentDictionary<string, Campaign> _campaigns = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, Campaign> _byOrdinal = new();
    private Task _writing = Task.CompletedTask;
    private long _bodiesSeen;

    /// <summary>Opens the store, and goes on where the last process ended: nothing is being tried any more.</summary>
    /// <param name="options">The folder and the limits.</param>
    /// <param name="rule">What decides requests of first-come and draw.</param>
    /// <param name="observer">Told of every change.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where failures are told.</param>
    /// <exception cref="StoreException">The database cannot be used.</exception>
    /// <exception cref="IOException">The folder cannot be used, or another process owns it.</exception>
    internal SqliteRequestStore(RequestsOptions options, IDecisionRule rule, IStoreObserver observer, TimeProvider time, ILogger logger)
    {
        _observer = observer;
        _mostAttempts = options.MaxAttempts;
        _description = Path.GetFullPath(options.Dir);
        _place = StorePlace.Take(options.Dir, options.MinFreeBytes);
        try
        {
            _connection = Database.OpenWriter(options.Dir);
            _transaction = new StoreTransaction(_connection, time);
            _place.Remember();
        }
        catch
        {
            _connection?.Dispose();
            _place.Dispose();
            throw;
        }

        _readers = new ReaderPool(options.Dir);
        _search = new RequestSearch(_readers, () => Campaigns);
        _queue = new WriteQueue(options.Queue, options.QueueBytes);
        _writer = new StoreWriter(
            _transaction, _queue, (new DecidingStep(rule, options.MaxAttempts), new DueStep(options.MaxAttempts)), _place, OnCommitted, logger);
        OnCommitted([.. _transaction.Campaigns.Select(entry => entry.Published)], []);
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<Campaign> Campaigns => (IReadOnlyCollection<Campaign>)_campaigns.Values;

    /// <inheritdoc/>
    public string? Fault => _writer.Fault;

    /// <inheritdoc/>
    public PendingOutcomes PendingOutcomes => _transaction.Outcomes.Pending;

    /// <inheritdoc/>
    public bool IsHeld => _transaction.IsHeld;

    /// <inheritdoc/>
    public string Description => _description;

    /// <inheritdoc/>
    public bool IsShared => false;

    /// <inheritdoc/>
    public int Deciding => _campaigns.Count;

    /// <inheritdoc/>
    public IEnumerable<(string Outcome, long Count)> Attempts => [];

    /// <inheritdoc/>
    public bool Decides(Campaign campaign) => true;

    /// <inheritdoc/>
    public int QueueLength => _queue.Submissions;

    /// <summary>Requests that a process had begun before it ended are queued again.</summary>
    public void Start()
    {
        _transaction.Begin();
        var running = new List<RequestRecord>();
        do
        {
            running.Clear();
            _transaction.Requests.ReadLeases(long.MaxValue, 1_000, running);
            running.ForEach(request => _transaction.Move(request, RequestMachine.Requeue(request, _transaction.Now)));
        }
        while (running.Count > 0);
        var changed = new List<Campaign>();
        _transaction.Commit(changed);
        OnCommitted(changed, []);
        _writing = _writer.Start();
    }

    /// <inheritdoc/>
    public Campaign? FindCampaign(string id) => _campaigns.GetValueOrDefault(id);

    /// <inheritdoc/>
    public ValueTask<Campaign?> FindCampaignAsync(string id) => ValueTask.FromResult(FindCampaign(id));

    /// <inheritdoc/>
    public ValueTask<Campaign?> ReadCampaignAsync(string id) => ValueTask.FromResult(FindCampaign(id));

    /// <inheritdoc/>
    public Campaign? FindCampaign(int ordinal) => _byOrdinal.GetValueOrDefault(ordinal);

    /// <inheritdoc/>
    public Task<CampaignChange> PutCampaignAsync(string id, CampaignSettings settings, long? expected) =>
        WriteAsync(transaction => Put(transaction, id, settings, expected));

    /// <inheritdoc/>
    public Task<CampaignChange> CloseAsync(string id) => WriteAsync(transaction =>
    {
        if (transaction.Find(id) is not { } entry)
        {
            return new CampaignChange(CampaignChangeOutcome.NotFound, null);
        }

        var now = DateTimeOffset.FromUnixTimeMilliseconds(transaction.Now);
        if (entry.Current.ClosedAt is not null)
        {
            return new CampaignChange(CampaignChangeOutcome.Changed, entry.Whole);
        }

        if (CampaignRules.WhyNotClosable(entry.Current, now) is { } why)
        {
            return new CampaignChange(CampaignChangeOutcome.Refused, entry.Whole, why);
        }

        entry.Change(campaign => campaign with { ClosedAt = now, Version = campaign.Version + 1 });
        return new CampaignChange(CampaignChangeOutcome.Changed, entry.Whole);
    });

    /// <inheritdoc/>
    public Task<CampaignChange> PauseAsync(string id, bool isPaused) => WriteAsync(transaction =>
    {
        if (transaction.Find(id) is not { } entry)
        {
            return new CampaignChange(CampaignChangeOutcome.NotFound, null);
        }

        if (entry.Current.IsPaused != isPaused)
        {
            entry.Change(campaign => campaign with { IsPaused = isPaused, Version = campaign.Version + 1 });
        }

        return new CampaignChange(CampaignChangeOutcome.Changed, entry.Whole);
    });

    /// <inheritdoc/>
    public ValueTask<Acceptance> AcceptAsync(Submission submission)
    {
        if (_writer.Fault is not null) // also while it hangs: certainly not taken is better than to wait
        {
            return ValueTask.FromResult(new Acceptance(_writer.RefusalNow));
        }

        var pending = new PendingAcceptance(submission);
        return _queue.TryAdd(pending) is { } refusal ? ValueTask.FromResult(new Acceptance(refusal)) : pending.Task;
    }

    /// <inheritdoc/>
    public ValueTask<RequestRecord?> FindAsync(RequestId id) => _readers.ReadAsync(reader => reader.Find(id));

    /// <inheritdoc/>
    public Task<Withdrawal> WithdrawAsync(RequestId id) => WriteAsync(transaction =>
    {
        if (transaction.Requests.Find(id) is not { } request)
        {
            return new Withdrawal(null, null);
        }

        Campaign campaign = transaction.Of(request.CampaignOrdinal).Current;
        if (request.Reason == Reasons.Withdrawn)
        {
            return new Withdrawal(request, null);
        }

        return campaign.WindowAt(DateTimeOffset.FromUnixTimeMilliseconds(transaction.Now)) == CampaignWindow.Closed
                ? new Withdrawal(request, CampaignRules.ClosedForWithdrawal)
            : RequestMachine.Withdraw(request, transaction.Now) is { } withdrawn ? new Withdrawal(transaction.Move(request, withdrawn), null)
            : new Withdrawal(request, CampaignRules.WhyNotWithdrawn(request.State));
    });

    /// <inheritdoc/>
    public Task<RequestPage> SearchAsync(RequestFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
        _search.SearchAsync(filter, cursor, limit, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RequestId>> RedriveAsync(IReadOnlyList<RequestId> ids, bool isDryRun)
    {
        const int AtOnce = 500; // so that acceptance does not wait for all of them
        var redriven = new List<RequestId>();
        foreach (RequestId[] some in ids.Chunk(AtOnce))
        {
            redriven.AddRange(await WriteAsync(transaction => Redrive(transaction, some, isDryRun)).ConfigureAwait(false));
        }

        return redriven;
    }

    /// <inheritdoc/>
    public Task<int> EraseUserAsync(UserId user) => WriteAsync(transaction =>
    {
        int erased = 0;
        foreach (CampaignEntry entry in transaction.Campaigns)
        {
            if (transaction.Requests.Find(RequestId.Of(entry.Current.Secret.Span, entry.Current.Id, user)) is { User: not null } request)
            {
                transaction.Erase(request);
                erased++;
            }
        }

        return erased;
    });

    /// <inheritdoc/>
    public async Task<int> DropBodiesAsync(DateTimeOffset finalBefore, int most)
    {
        long before = finalBefore.ToUnixTimeMilliseconds();
        List<long> keys = await _readers.ReadAsync(reader =>
        {
            // In the order of bodies, from where the last ones were found: not all of them again each time.
            using Statement old = reader.Prepare(
                "SELECT body.key FROM body CROSS JOIN request ON request.key = body.key WHERE body.key > ?1 AND request.state IN (3, 4) "
                + "AND request.final < ?2 ORDER BY body.key LIMIT ?3");
            old.Bind(1, _bodiesSeen).Bind(2, before).Bind(3, most);
            var found = new List<long>();
            while (old.Step())
            {
                found.Add(old.Long(0));
            }

            return found;
        }).ConfigureAwait(false);
        _bodiesSeen = keys.Count == most ? keys[^1] : 0;
        return keys.Count == 0 ? 0 : await WriteAsync(transaction =>
        {
            keys.ForEach(transaction.Requests.DropBody);
            return keys.Count;
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RequestId>> ListForDrawAsync(Campaign campaign, CancellationToken cancellationToken)
    {
        List<RequestId> ids = await _readers.ReadAsync(reader =>
        {
            using Statement all = reader.Prepare(
                $"SELECT id FROM request WHERE key > ?1 AND key < ?2 AND NOT (state = 4 AND reason IS '{Reasons.Withdrawn}')");
            all.Bind(1, Schema.Key(campaign.Ordinal, 0)).Bind(2, Schema.End(campaign.Ordinal));
            var found = new List<RequestId>();
            while (all.Step())
            {
                found.Add(RequestId.FromBytes(all.Bytes(0)));
            }

            return found;
        }, cancellationToken).ConfigureAwait(false);
        ids.Sort();
        return ids;
    }

    /// <inheritdoc/>
    public Task<Campaign> FixDrawAsync(string campaignId, DrawResult result) => WriteAsync(transaction =>
    {
        CampaignEntry entry = transaction.Find(campaignId)!;
        if (entry.Current.Draw is null)
        {
            entry.Change(campaign => campaign with { Draw = result, Version = campaign.Version + 1 });
        }

        return entry.Whole;
    });

    /// <inheritdoc/>
    public Task<IReadOnlyList<Attempt>> BeginAttemptsAsync(string campaignId, int most, TimeSpan lease) =>
        WriteAsync(transaction => AttemptStep.Begin(transaction, campaignId, most, lease));

    /// <inheritdoc/>
    public Task<bool> EndAttemptAsync(Attempt attempt, AttemptResult result) =>
        WriteAsync(transaction => AttemptStep.End(transaction, attempt, result, _mostAttempts));

    /// <inheritdoc/>
    public Task<OutcomeBatch?> NextOutcomesAsync(int most) => WriteAsync(transaction =>
        transaction.Outcomes.Cut(most, transaction.Now, ordinal => transaction.Of(ordinal).Current.Id));

    /// <inheritdoc/>
    public Task OutcomesStoredAsync(OutcomeBatch batch) => WriteAsync(transaction =>
    {
        transaction.Outcomes.Drop(batch.Number, transaction.Now);
        return true;
    });

    /// <inheritdoc/>
    public void BeginDrain() => _queue.Drain();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _writing.ConfigureAwait(false);
        _readers.Dispose();
        _transaction.Dispose();
        await _connection.DisposeAsync().ConfigureAwait(false);
        _queue.Dispose();
        _place.Dispose();
    }

    private static List<RequestId> Redrive(StoreTransaction transaction, RequestId[] ids, bool isDryRun)
    {
        var redriven = new List<RequestId>();
        foreach (RequestId id in ids)
        {
            if (transaction.Requests.Find(id) is { } request && RequestMachine.Redrive(request, transaction.Now) is { } next)
            {
                redriven.Add(id);
                _ = isDryRun ? request : transaction.Move(request, next);
            }
        }

        return redriven;
    }

    private static CampaignChange Put(StoreTransaction transaction, string id, CampaignSettings settings, long? expected)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(transaction.Now);
        if (transaction.Find(id) is not { } entry)
        {
            if (expected is > 0)
            {
                return new CampaignChange(CampaignChangeOutcome.NotFound, null);
            }

            if (transaction.Campaigns.Count == Schema.MostCampaigns)
            {
                return new CampaignChange(CampaignChangeOutcome.Refused, null, "The store holds as many campaigns as it can.");
            }

            Campaign made = Campaign.New(id, transaction.Campaigns.Count + 1, settings);
            transaction.AddCampaign(made);
            return new CampaignChange(CampaignChangeOutcome.Created, made);
        }

        Campaign campaign = entry.Whole;
        if (expected is { } version && version != campaign.Version)
        {
            return new CampaignChange(CampaignChangeOutcome.OtherVersion, campaign);
        }

        if (CampaignRules.WhyNotChanged(campaign, settings, now) is { } why)
        {
            return new CampaignChange(CampaignChangeOutcome.Refused, campaign, why);
        }

        entry.Change(changed => changed with { Settings = settings, Version = changed.Version + 1 });
        return new CampaignChange(CampaignChangeOutcome.Changed, entry.Whole);
    }

    private Task<T> WriteAsync<T>(Func<StoreTransaction, T> apply)
    {
        var write = new StoreWrite<T>(apply);
        try
        {
            _queue.Add(write);
        }
        catch (StoreException error)
        {
            write.Fail(error);
        }

        return write.Done;
    }

    private void OnCommitted(IReadOnlyList<Campaign> campaigns, IReadOnlyList<RequestRecord> requests)
    {
        foreach (Campaign campaign in campaigns)
        {
            _campaigns[campaign.Id] = campaign;
            _byOrdinal[campaign.Ordinal] = campaign;
        }

        if (requests.Count > 0)
        {
            _observer.OnChanged(requests);
        }
    }
}
