// The decider of one campaign: in order, alone, until another node's fence says that it is not any more.
using System.Collections.Concurrent;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Drawing;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Deciding;

/// <summary>
/// One loop; each of its turns is one transaction, on the condition that the campaign's fence is this decider's. It alone makes requests final and
/// gives outcomes their numbers. What it holds in memory can be read again: it does so when a transaction was not applied, or nobody knows.
/// </summary>
internal sealed partial class CampaignDecider
{
    // Of the 400 KB of an item: the rest is for names and texts.
    private const int MostInItem = 360_000;

    // Requests with their bodies in one request: an answer has 8 MB at most.
    private const int BodiesAtOnce = 16;

    // A decider that has nothing to do looks for sequences that other nodes gave: a waiting user hardly notices.
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(200);

    // For everything else that other nodes do. Both together cost 10 reads a second for a campaign where nothing happens.
    private static readonly TimeSpan BetweenWholeLooks = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AfterBroken = TimeSpan.FromSeconds(10);

    private readonly DynamoTable _table;
    private readonly CampaignBook _book;
    private readonly CampaignState _state;
    private readonly CampaignCloser _closer;
    private readonly OrderLog _log;
    private readonly EntriesAhead _ahead;
    private readonly IDecisionRule _rule;
    private readonly Action<Campaign, IReadOnlyList<RequestRecord>> _onMoved;
    private readonly RequestsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _fence;
    private readonly AsyncBell _bell = new();
    private readonly ConcurrentQueue<Beginning> _beginnings = new();
    private readonly ConcurrentQueue<Ending> _endings = new();

    // Requests of a webhook that have had an attempt and are not final, and redriven ones of any policy, by sequence.
    private readonly SortedDictionary<long, StoredRequest> _open = [];
    private readonly HashSet<RequestId> _inbox = [];

    // Requests that this node has begun an attempt of.
    private readonly HashSet<RequestId> _begunHere = [];
    private bool _isDue;
    private long _polledAt;
    private long _wholeAt;
    private long _beatAt;
    private volatile bool _isOver;

    /// <param name="parts">What it works with.</param>
    /// <param name="state">The campaign.</param>
    /// <param name="fence">Its fence, which the table has.</param>
    internal CampaignDecider(DeciderParts parts, CampaignState state, long fence)
    {
        _table = parts.Table;
        _book = parts.Book;
        _closer = parts.Closer;
        _rule = parts.Rule;
        _onMoved = parts.OnMoved;
        _options = parts.Options;
        _time = parts.Time;
        _logger = parts.Logger;
        _state = state;
        _fence = fence;
        _log = new OrderLog(parts.Table, state);
        _ahead = new EntriesAhead(_log, state, parts.Options.SealAfter);
    }

    /// <summary>The campaign.</summary>
    internal CampaignState State => _state;

    /// <summary>Whether it has lost its campaign, or was stopped.</summary>
    internal bool IsOver => _isOver;

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private CampaignPolicy Policy => _state.Campaign.Settings.Policy;

    /// <summary>There may be something to do.</summary>
    internal void Ring() => _bell.Set();

    /// <summary>Begins attempts of a webhook.</summary>
    internal Task<IReadOnlyList<Attempt>> BeginAsync(int most, TimeSpan lease)
    {
        var beginning = new Beginning(most, lease);
        _beginnings.Enqueue(beginning);
        Ring();
        return IsStillOn(beginning.Done);
    }

    /// <summary>Ends an attempt of a webhook.</summary>
    internal Task<bool> EndAsync(Attempt attempt, AttemptResult result)
    {
        var ending = new Ending(attempt, result);
        _endings.Enqueue(ending);
        Ring();
        return IsStillOn(ending.Done);
    }

    /// <summary>Runs until another node has the campaign, or until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            bool isLoaded = false;
            while (true)
            {
                try
                {
                    if (!isLoaded)
                    {
                        await LoadAsync(cancellationToken).ConfigureAwait(false);
                        isLoaded = true;
                    }

                    if (!await TurnAsync(cancellationToken).ConfigureAwait(false))
                    {
                        if (!_state.IsUnfinished && _endings.IsEmpty && _inbox.Count == 0)
                        {
                            await RetireAsync(cancellationToken).ConfigureAwait(false);
                            return;
                        }

                        await WaitAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
                catch (StoreException error)
                {
                    AnswerBeginnings();
                    LogFails(_logger, _state.Id, error.Message);
                    isLoaded = false;
                    await Task.Delay(AfterFailure, cancellationToken).ConfigureAwait(false);
                }
                catch (StaleException)
                {
                    isLoaded = false;
                }
                catch (Exception error) when (error is not (LostException or OperationCanceledException))
                {
                    AnswerBeginnings();
                    LogBroken(_logger, error, _state.Id);
                    isLoaded = false;
                    await Task.Delay(AfterBroken, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (LostException)
        {
            LogLost(_logger, _state.Id);
        }
        finally
        {
            _isOver = true;
            FailAll();
        }
    }

    // Everything is final and in the lake. A redrive makes it unfinished again, and some node takes it.
    private async Task RetireAsync(CancellationToken cancellationToken)
    {
        if (await _table.UpdateAsync(Checked().Release(_state.Id), cancellationToken).ConfigureAwait(false) is { } item)
        {
            _state.See(ProgressItem.Read(item));
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _bell.WaitAsync(Idle, cancellationToken).ConfigureAwait(false);
        _isDue = true;
    }

    // Everything from the table, as a node does that takes over.
    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        await _book.RefreshAsync(_state.Id, cancellationToken).ConfigureAwait(false);
        ProgressItem progress = Checked();
        _ahead.Restart(progress);
        _open.Clear();
        _inbox.Clear();
        _polledAt = 0;
        _wholeAt = 0;
        for (long next = progress.Settled + 1; next <= progress.Decided;)
        {
            (List<LogEntry> entries, _, long last) = await _log.ReadAsync(next, progress.Decided, cancellationToken).ConfigureAwait(false);
            foreach (StoredRequest request in await ReadAsync(entries.Select(entry => entry.Id), cancellationToken).ConfigureAwait(false))
            {
                if (!request.Record.State.IsFinal())
                {
                    _open[request.Record.Sequence] = request;
                }
            }

            await BeatAsync(Checked(), cancellationToken).ConfigureAwait(false); // it may take longer than the lease
            next = last + 1;
        }
    }

    private async Task<bool> TurnAsync(CancellationToken cancellationToken)
    {
        // Who asked is answered whatever becomes of the turn: what was not taken is asked for again.
        var after = new List<Action>();
        try
        {
            return await TurnAsync(after, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            after.ForEach(answer => answer());
        }
    }

    private async Task<bool> TurnAsync(List<Action> after, CancellationToken cancellationToken)
    {
        if (_isDue || _bell.IsRung || _polledAt == 0 || TimeProvider.System.GetElapsedTime(_polledAt) >= Idle)
        {
            await PollAsync(cancellationToken).ConfigureAwait(false);
        }

        await _ahead.ReadAsync(cancellationToken).ConfigureAwait(false);
        ProgressItem before = Checked();
        var turn = new DecidingTurn(_state.Id, before, _state.OutcomesPending > 0);
        turn.Next = before with { Sealed = Math.Max(before.Sealed, _ahead.Last), Accepted = before.Accepted + _ahead.Accepted };
        await AddInboxAsync(turn, cancellationToken).ConfigureAwait(false);
        AddEndings(turn, after);
        AddLostLeases(turn);
        bool hasMore = await AddNewAsync(turn, after, cancellationToken).ConfigureAwait(false);
        turn.Next = turn.Next with { Settled = SettledBy(turn) };
        if (turn.IsEmpty)
        {
            await BeatAsync(before, cancellationToken).ConfigureAwait(false);
            return false;
        }

        if (!await turn.CommitAsync(_table, cancellationToken).ConfigureAwait(false))
        {
            throw new StaleException();
        }

        OnCommitted(turn, before);
        return hasMore || turn.Moved.Count > 0 || _bell.IsRung;
    }

    private async Task<bool> AddNewAsync(DecidingTurn turn, List<Action> after, CancellationToken cancellationToken)
    {
        Campaign campaign = _state.Campaign;
        if (!campaign.IsPaused && Policy == CampaignPolicy.Webhook)
        {
            await AddBeginningsAsync(turn, after, cancellationToken).ConfigureAwait(false);
            return false;
        }

        AnswerBeginnings();
        return !campaign.IsPaused && (Policy == CampaignPolicy.FirstCome || campaign.Draw is not null)
            && await AddDecisionsAsync(turn, cancellationToken).ConfigureAwait(false);
    }

    private void OnCommitted(DecidingTurn turn, ProgressItem before)
    {
        _beatAt = TimeProvider.System.GetTimestamp();
        _state.See(turn.Next with { Step = before.Step + 1, Beat = before.Beat + 1 });
        turn.Moved.ForEach(moved => Keep(moved, turn.BodyLengths[moved.Id]));
        _ahead.OnCommitted(turn.Next);
        if (turn.Moved.Count > 0)
        {
            _onMoved(_state.Campaign, turn.Moved);
        }
    }

    // What the memory has of a request that took a step.
    private void Keep(RequestRecord request, int bodyLength)
    {
        if (request.State.IsFinal())
        {
            _open.Remove(request.Sequence);
            _inbox.Remove(request.Id);
            _begunHere.Remove(request.Id);
        }
        else if (Policy == CampaignPolicy.Webhook || _inbox.Contains(request.Id))
        {
            _open[request.Sequence] = new StoredRequest(request, 0, default) { BodyLength = bodyLength };
        }
    }

    // Sequences, campaign and inbox as they are now.
    private async Task PollAsync(CancellationToken cancellationToken)
    {
        bool isWhole = _bell.IsRung || _wholeAt == 0 || TimeProvider.System.GetElapsedTime(_wholeAt) >= BetweenWholeLooks;
        _isDue = false;
        _bell.Take();
        _polledAt = TimeProvider.System.GetTimestamp();
        if (!isWhole && !await HasNewSequencesAsync(cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        _wholeAt = _polledAt;
        Task<List<Item>> inbox = _table.QueryAsync(Keys.InboxOf(_state.Id), most: EntriesAhead.Most, cancellationToken: cancellationToken);
        await _book.RefreshAsync(_state.Id, cancellationToken).ConfigureAwait(false);
        Checked();
        foreach (Item item in await inbox.ConfigureAwait(false))
        {
            _inbox.Add(RequestId.Parse(item.Key.Sk)!.Value);
        }

        await _closer.CloseIfDueAsync(_state, () => BeatAsync(_state.Progress, cancellationToken), cancellationToken).ConfigureAwait(false);
        _ahead.OnPolled(_polledAt);
    }

    private async Task<bool> HasNewSequencesAsync(CancellationToken cancellationToken)
    {
        long before = _state.Sequence.Last;
        if (await _table.GetAsync(Keys.Sequence(_state.Id), cancellationToken: cancellationToken).ConfigureAwait(false) is { } item)
        {
            _state.See(SequenceItem.Read(item));
        }

        return _state.Sequence.Last > before || _ahead.MaySeal;
    }

    // What other nodes ask for: requests that were taken back, and redriven ones.
    private async Task AddInboxAsync(DecidingTurn turn, CancellationToken cancellationToken)
    {
        RequestId[] known = [.. _open.Values.Select(request => request.Record.Id)];
        foreach (StoredRequest request in await ReadAsync(_inbox.Except(known).Take(EntriesAhead.Most), cancellationToken).ConfigureAwait(false))
        {
            if (!turn.HasRoom)
            {
                return;
            }

            RequestRecord record = request.Record;
            if (request.WithdrawnAt > 0 && RequestMachine.Withdraw(record, request.WithdrawnAt) is { } withdrawn)
            {
                turn.Move(request, withdrawn, isInInbox: true);
            }
            else if (record.State.IsFinal())
            {
                _inbox.Remove(record.Id);
                turn.Leave(record);
            }
            else
            {
                _open[record.Sequence] = request;
            }
        }
    }

    // First-come, and a draw that was held: redriven requests first, as they have waited longest, then in order.
    private async Task<bool> AddDecisionsAsync(DecidingTurn turn, CancellationToken cancellationToken)
    {
        long now = Now;
        foreach (StoredRequest request in _open.Values.Where(request => request.Record.Sequence <= turn.Next.Decided && request.Record.Due <= now))
        {
            if (turn.HasRoom && !turn.Moved.Exists(moved => moved.Id == request.Record.Id))
            {
                Decide(turn, request, now);
            }
        }

        LogEntry[] next = [.. _ahead.Behind(turn.Next.Decided).Take(DynamoTable.MostWrites)];
        Dictionary<RequestId, StoredRequest> requests = (await ReadAsync(next.Select(entry => entry.Id), cancellationToken).ConfigureAwait(false))
            .ToDictionary(request => request.Record.Id);
        foreach (LogEntry entry in next)
        {
            if (!turn.HasRoom)
            {
                return true;
            }

            // One that has failed keeps its place in the order until its attempts are used up: nobody behind it may pass.
            StoredRequest request = requests[entry.Id];
            if (request.Record.Due > now || (!turn.Moved.Exists(moved => moved.Id == entry.Id) && !Decide(turn, request, now)))
            {
                return false;
            }

            turn.Next = turn.Next with { Decided = entry.Sequence };
        }

        // Sequences behind the last entry that are nobody's.
        if (next.Length < DynamoTable.MostWrites)
        {
            turn.Next = turn.Next with { Decided = Math.Max(turn.Next.Decided, _ahead.Last) };
        }

        return next.Length == DynamoTable.MostWrites;
    }

    // Whether the request is final then.
    private bool Decide(DecidingTurn turn, StoredRequest request, long now)
    {
        RequestRecord record = request.Record;
        if (record.State.IsFinal())
        {
            return true;
        }

        if (request.WithdrawnAt > 0 && RequestMachine.Withdraw(record, request.WithdrawnAt) is { } withdrawn)
        {
            turn.Move(request, withdrawn, isInInbox: true);
            return true;
        }

        Campaign campaign = _state.Campaign;
        RequestRecord? next;
        try
        {
            bool isWinner = campaign.Draw is { } draw && Lot.Wins(record.Id, draw, campaign.Seed.Span);
            Decision decision = _rule.Decide(campaign.Settings, turn.Next.Succeeded, isWinner, record);
            turn.Next = turn.Next with { HasTurnedAway = turn.Next.HasTurnedAway || decision.Reason == Reasons.Full };
            next = RequestMachine.Decide(record, decision.State, decision.Reason, now);
        }
        catch (Exception error) when (error is not StoreException)
        {
            next = RequestMachine.Fail(record, error.Message, _options.MaxAttempts, Backoffs.After(record.Attempts + 1), now);
        }

        turn.Move(request, next!, _inbox.Contains(record.Id));
        return next!.State.IsFinal();
    }

    private long SettledBy(DecidingTurn turn)
    {
        long decided = turn.Next.Decided;
        if (Policy != CampaignPolicy.Webhook)
        {
            return decided;
        }

        HashSet<long> ended = [.. turn.Moved.Where(moved => moved.State.IsFinal()).Select(moved => moved.Sequence)];
        long first = _open.Keys.FirstOrDefault(sequence => !ended.Contains(sequence), long.MaxValue);
        long begun = turn.Moved.Where(moved => !moved.State.IsFinal()).Select(moved => moved.Sequence).DefaultIfEmpty(long.MaxValue).Min();
        return Math.Max(turn.Next.Settled, Math.Min(decided, Math.Min(first, begun) - 1));
    }

    private async Task<List<StoredRequest>> ReadAsync(
        IEnumerable<RequestId> ids, CancellationToken cancellationToken, bool withBodies = false)
    {
        RequestId[] wanted = [.. ids];
        Dictionary<ItemKey, Item> items = wanted.Length == 0 ? [] : await _table.GetManyAsync(
            wanted.Select(Keys.Request), withBodies ? null : RequestItem.WithoutBody, withBodies ? BodiesAtOnce : DynamoTable.MostReads,
            cancellationToken).ConfigureAwait(false);
        return [.. wanted.Select(id => items.GetValueOrDefault(Keys.Request(id)) is { } item ? RequestItem.Read(item)
            : throw new StoreException($"{_table.Description}: request {id} of campaign {_state.Id} is in the order log and not in the table. "
                + "Was an item deleted by hand?"))];
    }

    // So that others see that it is alive.
    private async Task BeatAsync(ProgressItem before, CancellationToken cancellationToken)
    {
        if (_beatAt != 0 && TimeProvider.System.GetElapsedTime(_beatAt) < _options.DeciderLease / 3)
        {
            return;
        }

        _beatAt = TimeProvider.System.GetTimestamp();
        Item now = await _table.UpdateAsync(before.Beats(_state.Id), cancellationToken).ConfigureAwait(false) ?? throw new LostException();
        _state.See(ProgressItem.Read(now));
    }

    private ProgressItem Checked()
    {
        ProgressItem progress = _state.Progress;
        return progress.Fence == _fence ? progress : throw new LostException();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {Campaign} is not decided at the moment: {Error}")]
    private static partial void LogFails(ILogger logger, string campaign, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Campaign {Campaign} is not decided: an error of Estat. It is tried again. Please report it")]
    private static partial void LogBroken(ILogger logger, Exception error, string campaign);

    [LoggerMessage(Level = LogLevel.Information, Message = "Campaign {Campaign} is decided by another node now")]
    private static partial void LogLost(ILogger logger, string campaign);

    // The campaign is another node's.
    private sealed class LostException : Exception;

    // What the memory has is not what the table has.
    private sealed class StaleException : Exception;
}
