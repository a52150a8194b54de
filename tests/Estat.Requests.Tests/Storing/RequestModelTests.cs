// Random steps, kills among them, over a store; after each, and in the end, what is promised must hold.
using System.Text;
using Estat.Requests.Tests.Sqlite;
using Estat.Testing.PowerCuts;

namespace Estat.Requests.Tests.Storing;

public sealed class RequestModelTests
{
    [Fact]
    public Task Whatever_happens_in_whatever_order_no_place_is_sold_twice_and_states_only_advance() =>
        Seeds.RunAsync(usual: 12, atOnce: 2, async seed =>
        {
            await using var model = new RequestModel(new SqlitePlace(), seed);
            await model.RunAsync(steps: 80);
        });
}

/// <summary>One run. It knows what it was told, and nothing else.</summary>
internal sealed class RequestModel(IStorePlace place, int seed) : IAsyncDisposable
{
    private const int Capacity = 5;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Random _dice = new(seed);
    private readonly ManualTimeProvider _time = new();
    private readonly TestRule _rule = new();
    private readonly Dictionary<(string Campaign, string User), (RequestId Id, long Sequence)> _told = [];
    private readonly HashSet<(string Campaign, string User)> _withdrawn = [];
    private readonly List<Attempt> _attempts = [];
    private readonly List<Outcome> _lake = [];
    private readonly List<string> _steps = [];
    private IRequestStore _store = null!;
    private OutcomeBatch? _batch;

    internal async Task RunAsync(int steps)
    {
        try
        {
            _store = await place.OpenAsync(_rule, _time);
            await _store.PutCampaignAsync("sale", Settings(CampaignPolicy.FirstCome) with { Capacity = Capacity }, 0);
            await _store.PutCampaignAsync("hook", Settings(CampaignPolicy.Webhook) with
            {
                Webhook = new WebhookSettings(new Uri("https://shop.example/decide"), ["0123456789abcdef"]),
            }, 0);
            for (int i = 0; i < steps; i++)
            {
                await StepAsync();
                Check();
            }

            await EndAsync();
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw new InvalidOperationException($"seed {seed}, after: {string.Join("; ", _steps.TakeLast(30))}", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        await place.DisposeAsync();
    }

    private async Task StepAsync()
    {
        string campaign = _dice.Next(2) == 0 ? "sale" : "hook";
        string user = $"{(_dice.Next(5) == 0 ? "bad" : "user")}{_dice.Next(12)}";
        switch (_dice.Next(12))
        {
            case < 4:
                await AcceptAsync(campaign, user);
                break;
            case 4:
                await Task.WhenAll(Enumerable.Range(0, 6).Select(i => AcceptAsync(campaign, $"user{i}")));
                break;
            case 5 when _told.TryGetValue((campaign, user), out (RequestId Id, long Sequence) known):
                Note($"withdraw {campaign} {user}");
                if ((await _store.WithdrawAsync(known.Id)).Refusal is null)
                {
                    _withdrawn.Add((campaign, user));
                }

                break;
            case 6:
                Note($"redrive, the rule fails: {_rule.Fails = _dice.Next(2) == 0}");
                await _store.RedriveAsync([.. _told.Values.Select(one => one.Id)], isDryRun: _dice.Next(3) == 0);
                break;
            case 7:
                Note($"pause {campaign}");
                await _store.PauseAsync(campaign, _dice.Next(3) == 0);
                break;
            case 8:
                Note("time");
                _time.Advance(TimeSpan.FromSeconds(_dice.Next(1, 15)));
                break;
            case 9:
                Note("kill");
                await place.KillAsync(_store);
                _store = await place.OpenAsync(_rule, _time);
                break;
            case 10:
                await AttemptAsync();
                break;
            default:
                await OutcomesAsync(_dice.Next(1, 5), isStored: _dice.Next(2) == 0);
                break;
        }
    }

    private async Task AcceptAsync(string campaign, string user)
    {
        UserId id = UserId.Of(user)!.Value;
        var requestId = RequestId.Of(_store.FindCampaign(campaign)!.Secret.Span, campaign, id);
        Acceptance answer = await _store.AcceptAsync(new Submission(campaign, requestId, id, Encoding.UTF8.GetBytes("{}")));
        Note($"{answer.Outcome} {campaign} {user} {answer.Request?.Sequence}");
        Assert.True(answer.Outcome is AcceptanceOutcome.Accepted or AcceptanceOutcome.Known, $"{answer.Outcome}");
        (RequestId, long) told = (answer.Request!.Id, answer.Request.Sequence);
        lock (_told)
        {
            if (!_told.TryAdd((campaign, user), told))
            {
                Assert.Equal(AcceptanceOutcome.Known, answer.Outcome);
                Assert.Equal(_told[(campaign, user)], told);
            }
        }
    }

    // Old attempts end again and again, as workers that come back late do.
    private async Task AttemptAsync()
    {
        _attempts.AddRange(await _store.BeginAttemptsAsync("hook", _dice.Next(1, 4), Lease));
        if (_attempts.Count == 0)
        {
            return;
        }

        Attempt attempt = _attempts[_dice.Next(_attempts.Count)];
        RequestState state = _dice.Next(4) switch
        {
            0 => RequestState.Succeeded,
            1 => RequestState.Rejected,
            2 => RequestState.FailedFinal,
            _ => RequestState.Queued,
        };
        RequestRecord before = (await _store.FindAsync(attempt.Request.Id))!;
        bool isTaken = await _store.EndAttemptAsync(attempt, new AttemptResult(state, RetryAfter: TimeSpan.FromSeconds(1)));
        Note($"end of {attempt.Request.Sequence}, fence {attempt.Request.Fence}: {state}, {isTaken}");
        if (before.Fence > attempt.Request.Fence || before.Generation > attempt.Request.Generation || before.State.IsFinal())
        {
            Assert.False(isTaken, "a late result was taken");
        }
    }

    private async Task OutcomesAsync(int most, bool isStored)
    {
        OutcomeBatch? batch = await _store.NextOutcomesAsync(most);
        Note($"outcomes {batch?.Number}, stored: {isStored}");
        if (_batch is not null)
        {
            Assert.Equal(_batch.Outcomes, batch!.Outcomes); // what was not stored comes again as it was
            Assert.Equal((_batch.Number, _batch.CutAt), (batch.Number, batch.CutAt));
        }

        _batch = batch;
        if (batch is not null && isStored)
        {
            await _store.OutcomesStoredAsync(batch);
            _lake.AddRange(batch.Outcomes);
            _batch = null;
        }
    }

    private void Check()
    {
        foreach (Campaign campaign in _store.Campaigns)
        {
            Assert.Equal(campaign.Counts.Accepted, campaign.Counts.Sum);
        }

        Assert.True(_store.FindCampaign("sale")!.Counts.Succeeded <= Capacity);
    }

    private async Task EndAsync()
    {
        Note("end");
        await _store.PauseAsync("sale", isPaused: false);
        await _store.PauseAsync("hook", isPaused: false);
        string seen = "";
        await Wait.UntilAsync(
            async () =>
            {
                _time.Advance(Lease);
                foreach (Attempt attempt in await _store.BeginAttemptsAsync("hook", 10, Lease))
                {
                    await _store.EndAttemptAsync(attempt, new AttemptResult(RequestState.Succeeded));
                }

                seen = string.Join(", ", _store.Campaigns.Select(campaign => $"{campaign.Id} {campaign.Counts}"));
                return _store.Campaigns.All(campaign => campaign.Counts.Open == 0);
            },
            Patience, "everything to be decided", () => seen);
        while (await _store.NextOutcomesAsync(1) is not null)
        {
            await OutcomesAsync(100, isStored: true);
        }

        await CheckRequestsAsync();
        CheckLake();
    }

    private async Task CheckRequestsAsync()
    {
        foreach (((string campaign, string user), (RequestId id, long sequence)) in _told)
        {
            RequestRecord? request = await _store.FindAsync(id);
            Assert.True(request is not null, $"the 202 of {user} in {campaign} is lost");
            Assert.Equal(sequence, request.Sequence);
            Assert.True(request.State.IsFinal());
            if (_withdrawn.Contains((campaign, user)))
            {
                Assert.Equal(Reasons.Withdrawn, request.Reason);
            }

            RequestTimes times = request.Times;
            Assert.True(times.Received <= times.Queued && times.Queued <= times.Final, $"{times}");
        }

        RequestPage page = await _store.SearchAsync(new RequestFilter { CampaignId = "sale" }, null, 1_000, CancellationToken.None);
        IReadOnlyList<RequestRecord> sale = page.Requests;
        long lastWinner = sale.Where(request => request is { State: RequestState.Succeeded, Generation: 1 })
            .Select(request => request.Sequence).DefaultIfEmpty(0).Max();
        Assert.DoesNotContain(sale, request => request is { Reason: Reasons.Full, Generation: 1 } && request.Sequence < lastWinner);
        int eligible = sale.Count(request => request.State == RequestState.Succeeded || request.Reason == Reasons.Full);
        Assert.Equal(Math.Min(Capacity, eligible), sale.Count(request => request.State == RequestState.Succeeded));
    }

    private void CheckLake()
    {
        Assert.Equal(Enumerable.Range(1, _lake.Count).Select(number => (long)number), _lake.Select(outcome => outcome.Number));
        foreach (IGrouping<RequestId, Outcome> history in _lake.GroupBy(outcome => outcome.Id))
        {
            Outcome[] outcomes = [.. history];
            Assert.Equal(Enumerable.Range(1, outcomes.Length), outcomes.Select(outcome => outcome.Generation));
            Assert.All(outcomes[..^1], outcome => Assert.Equal(RequestState.FailedFinal, outcome.State));
        }

        Assert.Equal(_told.Count, _lake.Select(outcome => outcome.Id).Distinct().Count());
    }

    private void Note(string step)
    {
        lock (_steps)
        {
            _steps.Add(step);
        }
    }

    private CampaignSettings Settings(CampaignPolicy policy) => new() { Policy = policy, OpensAt = _time.GetUtcNow().AddDays(-1) };
}
