// Two nodes over one table.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Aws.Items;
using Estat.Requests.Drawing;
using Estat.Requests.Tests.Storing;

namespace Estat.Requests.Tests.Dynamo;

public sealed class DynamoNodesTests(LocalDynamo dynamo) : IClassFixture<LocalDynamo>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TestRule _rule = new();
    private DynamoPlace _place = null!;
    private DynamoRequestStore _one = null!;
    private DynamoRequestStore _two = null!;
    private DynamoTable _table = null!;

    public async ValueTask InitializeAsync()
    {
        _place = new DynamoPlace(dynamo.Emulator, mostAttempts: 1);
        _one = (DynamoRequestStore)await _place.OpenAsync(_rule, TimeProvider.System, 20_000);
        _two = _place.Open(_rule, TimeProvider.System);
        await Wait.UntilAsync(() => _two.Fault is null, Patience, "the second node");
        _table = new DynamoTable(_place.Options, "eu-central-1", new StoreClock(TimeProvider.System));
    }

    public async ValueTask DisposeAsync()
    {
        await dynamo.Emulator.FaultsAsync();
        _table?.Dispose();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Fact]
    public async Task A_campaign_that_one_node_has_made_is_found_by_the_other_at_once()
    {
        await MakeAsync("sale", capacity: 5);

        Assert.Equal("sale", (await _two.FindCampaignAsync("sale"))?.Id);
        Assert.Null(await _two.FindCampaignAsync("none"));
    }

    [Fact]
    public async Task What_one_node_accepts_is_decided_though_another_decides_and_each_finds_it()
    {
        await MakeAsync("sale", capacity: 3);
        await _two.FindCampaignAsync("sale");
        foreach (int i in Enumerable.Range(0, 6))
        {
            Assert.Equal(AcceptanceOutcome.Accepted, (await AcceptAsync(i % 2 == 0 ? _one : _two, "sale", $"user{i}")).Outcome);
        }

        await UntilDecidedAsync("sale");
        Assert.Equal(1, _one.Deciding + _two.Deciding);
        foreach (int i in Enumerable.Range(0, 6))
        {
            RequestRecord request = (await _two.FindAsync(IdOf("sale", $"user{i}")))!;
            Assert.Equal((i + 1L, i < 3 ? RequestState.Succeeded : RequestState.Rejected), (request.Sequence, request.State));
        }
    }

    [Fact]
    public async Task Two_nodes_that_one_user_asks_at_once_give_one_request()
    {
        await MakeAsync("sale", capacity: 1_000);
        await _two.FindCampaignAsync("sale");
        foreach (int i in Enumerable.Range(0, 40))
        {
            Acceptance[] both = await Task.WhenAll(AcceptAsync(_one, "sale", $"user{i}"), AcceptAsync(_two, "sale", $"user{i}"));
            RequestRecord stored = (await _one.FindAsync(IdOf("sale", $"user{i}")))!;
            Assert.All(both, one => Assert.Equal(stored.Sequence, one.Request!.Sequence));
            Assert.Single(both, one => one.Outcome == AcceptanceOutcome.Accepted);
        }

        await UntilDecidedAsync("sale");
        Assert.Equal(40, (await ReadAsync("sale")).Counts.Accepted);
    }

    [Fact]
    public async Task A_node_that_ends_in_order_leaves_its_campaigns_to_the_other_at_once()
    {
        await MakeAsync("sale", capacity: 3);
        await Wait.UntilAsync(() => _one.Deciding + _two.Deciding == 1, Patience, "one to decide");
        (DynamoRequestStore leaves, DynamoRequestStore stays) = _one.Deciding == 1 ? (_one, _two) : (_two, _one);
        await leaves.DisposeAsync();

        await Wait.UntilAsync(() => stays.Deciding == 1, Patience, "the other to decide");
        await AcceptAsync(stays, "sale", "ann");
        await Wait.UntilAsync(async () => (await stays.FindAsync(IdOf("sale", "ann")))!.State == RequestState.Succeeded, Patience, "the decision");
    }

    [Fact]
    public async Task A_decider_whose_fence_is_old_writes_nothing()
    {
        await MakeAsync("sale", capacity: 1);
        await AcceptAsync(_one, "sale", "first");
        await UntilDecidedAsync("sale");

        // As another node does that has not heard of it for a lease. That node never decides anything.
        await Wait.UntilAsync(
            async () =>
            {
                ProgressItem progress = ProgressItem.Read((await _table.GetAsync(Keys.Progress("sale")))!);
                return await _table.UpdateAsync(progress.Claim("sale", "a third node")) is not null;
            },
            Patience, "the claim");
        ProgressItem claimed = ProgressItem.Read((await _table.GetAsync(Keys.Progress("sale")))!);
        await AcceptAsync(_one, "sale", "second");
        await Wait.UntilAsync(async () => (await _one.FindAsync(IdOf("sale", "second")))!.State.IsFinal(), Patience, "one of the two to take over");

        ProgressItem after = ProgressItem.Read((await _table.GetAsync(Keys.Progress("sale")))!);
        Assert.True(after.Fence > claimed.Fence, "the decision was written under the third node's fence");
        Assert.Equal((1, 1, 2), (after.Succeeded, after.Rejected, after.Outcome));
    }

    [Fact]
    public async Task A_sequence_that_nobody_came_for_is_given_up_and_never_used()
    {
        await MakeAsync("sale", capacity: 5);
        SequenceItem lost = SequenceItem.Read((await _table.UpdateAsync(SequenceItem.Take("sale", 1, 1)))!);
        await AcceptAsync(_one, "sale", "ann");
        await UntilDecidedAsync("sale");

        Assert.Equal(2, (await _one.FindAsync(IdOf("sale", "ann")))!.Sequence);
        Item entry = (await _table.GetAsync(Keys.Entry("sale", lost.Last)))!;
        Assert.False(entry.Has("r"));
        Assert.Equal(1, (await ReadAsync("sale")).Counts.Accepted);
    }

    [Fact]
    public async Task Who_comes_for_a_sequence_that_was_given_up_gets_another_one()
    {
        await MakeAsync("sale", capacity: 5);
        await _one.PauseAsync("sale", isPaused: true);

        await _table.PutAsync(Change.Put(new Item(Keys.Entry("sale", 1)).With("x", 1)).IfNew());
        Acceptance late = await AcceptAsync(_one, "sale", "ann");

        Assert.Equal((AcceptanceOutcome.Accepted, 2L), (late.Outcome, late.Request!.Sequence));
    }

    [Fact]
    public async Task What_is_taken_back_or_redriven_at_one_node_is_counted_by_the_decider()
    {
        await MakeAsync("sale", capacity: 2);
        await _one.PauseAsync("sale", isPaused: true);
        foreach (string user in new[] { "gone", "bad1", "a" })
        {
            await AcceptAsync(_two, "sale", user);
        }

        Assert.Null((await _two.WithdrawAsync(IdOf("sale", "gone"))).Refusal);
        Assert.Equal("withdrawn", (await _one.FindAsync(IdOf("sale", "gone")))!.Reason);
        await Wait.UntilAsync(async () => (await ReadAsync("sale")).Counts.Rejected == 1, Patience, "the decider to count it, though it is paused");
        _rule.Fails = false;
        await _one.PauseAsync("sale", isPaused: false);
        await UntilDecidedAsync("sale");
        Assert.Equal((3L, 2L, 1L), Numbers(await ReadAsync("sale")));
        Assert.NotNull((await _two.WithdrawAsync(IdOf("sale", "a"))).Refusal);
    }

    [Fact]
    public async Task A_request_that_is_taken_back_at_the_head_of_a_webhook_s_queue_holds_up_nobody()
    {
        await MakeHookAsync();
        for (int i = 0; i < 10; i++)
        {
            await AcceptAsync(_one, "hook", $"gone{i}");
            await AcceptAsync(_two, "hook", $"stays{i}");

            // At the node that does not decide: the decider hears of it in the turn that begins the attempt.
            DynamoRequestStore other = _one.Decides(await ReadAsync("hook")) ? _two : _one;
            Assert.Null((await other.WithdrawAsync(IdOf("hook", $"gone{i}"))).Refusal);
            Attempt attempt = await BeginAsync("hook");
            Assert.Equal(IdOf("hook", $"stays{i}"), attempt.Request.Id);
            Assert.True(await EndAsync(attempt, new AttemptResult(RequestState.Succeeded)));
        }
    }

    [Fact]
    public async Task Bodies_and_results_that_are_more_than_a_transaction_takes_are_written_in_several()
    {
        await MakeAsync("sale", capacity: 5);
        await _one.PauseAsync("sale", isPaused: true);
        byte[] large = new byte[250 * 1024];
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => AcceptAsync(_one, "sale", $"user{i}", large)));
        await _one.PauseAsync("sale", isPaused: false);
        await UntilDecidedAsync("sale");
        Assert.Equal((24L, 5L, 19L), Numbers(await ReadAsync("sale")));

        await MakeHookAsync();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AcceptAsync(_one, "hook", $"user{i}", new byte[64 * 1024])));
        await AcceptAsync(_one, "hook", "user40", large);
        var attempts = new List<Attempt>();
        while (attempts.Count < 41)
        {
            attempts.AddRange(await BeginAllAsync("hook"));
        }

        string result = $"\"{new string('한', 64 * 1024 / 3)}\"";
        bool[] ended = await Task.WhenAll(attempts.Select(attempt => EndAsync(
            attempt, new AttemptResult(RequestState.Succeeded, Result: attempt.Body.Length > 200_000 ? result + result : result))));
        Assert.All(ended, Assert.True);
        Assert.Equal(result, (await _one.FindAsync(IdOf("hook", "user7")))!.Result);
        RequestRecord largest = (await _one.FindAsync(IdOf("hook", "user40")))!;
        Assert.Equal((RequestState.Succeeded, null), (largest.State, largest.Result));
        Assert.Contains("too long", largest.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_campaign_that_is_finished_is_nobody_s_until_a_redrive()
    {
        await MakeAsync("sale", capacity: 5);
        await AcceptAsync(_one, "sale", "bad1");
        await UntilDecidedAsync("sale");
        await _one.CloseAsync("sale");
        await Wait.UntilAsync(
            async () => await (_one.Deciding == 1 ? _one : _two).NextOutcomesAsync(10) is { } batch
                && await StoredAsync(_one.Deciding == 1 ? _one : _two, batch),
            Patience, "the outcome");
        await Wait.UntilAsync(() => _one.Deciding + _two.Deciding == 0, Patience, "nobody to decide it");

        _rule.Fails = false;
        Assert.Single(await _two.RedriveAsync([IdOf("sale", "bad1")], isDryRun: false));
        await Wait.UntilAsync(
            async () => (await _one.FindAsync(IdOf("sale", "bad1")))!.State == RequestState.Succeeded, Patience, "the redriven one");
    }

    [Fact]
    public async Task Capacity_does_not_grow_beside_the_first_that_is_turned_away()
    {
        // Many times, as it is a race: the operator's change and the decider's transaction.
        for (int i = 0; i < 15; i++)
        {
            string id = $"sale{i}";
            await MakeAsync(id, capacity: 1);
            await AcceptAsync(_one, id, "a");
            Task<CampaignChange> grows = _two.PutCampaignAsync(id, FirstCome(2), null);
            await AcceptAsync(_one, id, "b");
            CampaignChange change = await grows;
            await UntilDecidedAsync(id);

            long succeeded = (await ReadAsync(id)).Counts.Succeeded;
            Assert.True(
                change.Outcome == CampaignChangeOutcome.Changed ? succeeded == 2 : succeeded == 1,
                $"{change.Outcome}, and {succeeded} have a place");
        }
    }

    [Fact]
    public async Task Everything_adds_up_whatever_DynamoDB_refuses_loses_and_is_told_twice()
    {
        await dynamo.Emulator.FaultsAsync(new DynamoDbFaults { Conflict = 0.1, Throttle = 0.1, Lost = 0.1, Seed = 7 });
        DynamoRequestStore[] nodes = [_one, _two];
        string[] campaigns = ["sale", "prize", "rush"];
        await MakeAsync("sale", capacity: 20);
        await MakeAsync("rush", capacity: 1_000);
        await _one.PutCampaignAsync("prize", Draw(10), null);
        await Wait.UntilAsync(() => nodes.All(node => campaigns.All(id => node.FindCampaign(id) is not null)), Patience, "both nodes to know all");
        var dice = new Random(7);
        (string User, string Campaign, int Node, bool IsWithdrawn)[] all =
        [
            .. from user in Enumerable.Range(0, 120)
               from campaign in campaigns
               select (user % 12 == 0 ? $"bad{user}" : $"user{user}", campaign, dice.Next(2), dice.Next(10) == 0),
        ];
        dice.Shuffle(all);
        var told = new System.Collections.Concurrent.ConcurrentDictionary<RequestId, long>();
        Task sending = Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (one, _) =>
        {
            for (Acceptance acceptance = default; ;)
            {
                acceptance = await AcceptAsync(nodes[one.Node], one.Campaign, one.User);
                if (acceptance.Request is { } request)
                {
                    Assert.Equal(request.Sequence, told.GetOrAdd(request.Id, request.Sequence));
                    if (one.IsWithdrawn)
                    {
                        await TryAsync(() => nodes[1 - one.Node].WithdrawAsync(request.Id));
                    }

                    return;
                }

                if (acceptance.Outcome == AcceptanceOutcome.Closed)
                {
                    return;
                }
            }
        });
        await Wait.UntilAsync(() => told.Count > 150, Patience, "half of them");
        await TryAsync(() => _two.CloseAsync("rush"));
        await sending;
        await TryAsync(() => _one.CloseAsync("prize"));
        await dynamo.Emulator.FaultsAsync();
        await _one.CloseAsync("rush");
        await _one.CloseAsync("prize");
        await new DrawOffice(_one, TimeProvider.System).DrawAsync("prize", null, CancellationToken.None);
        foreach (string campaign in campaigns)
        {
            await UntilDecidedAsync(campaign);
        }

        await _one.DisposeAsync();
        await _two.DisposeAsync();
        TableScan scan = await TableScan.ReadAsync(_table);
        Assert.Equal([], scan.Faults());
        Dictionary<RequestId, RequestRecord> stored = scan.Requests.ToDictionary(request => request.Record.Id, request => request.Record);
        Assert.All(told, one => Assert.Equal(one.Value, stored[one.Key].Sequence));
        Assert.Equal(20, stored.Values.Count(request => request.CampaignOrdinal == 1 && request.State == RequestState.Succeeded));
    }

    private static async Task<bool> StoredAsync(DynamoRequestStore store, OutcomeBatch batch)
    {
        await store.OutcomesStoredAsync(batch);
        return true;
    }

    private async Task MakeHookAsync() => await _one.PutCampaignAsync(
        "hook",
        new CampaignSettings
        {
            Policy = CampaignPolicy.Webhook, OpensAt = DateTimeOffset.UnixEpoch.AddYears(50),
            Webhook = new WebhookSettings(new Uri("https://shop.example/decide"), ["0123456789abcdef"]),
        },
        null);

    private async Task<IReadOnlyList<Attempt>> BeginAllAsync(string campaign)
    {
        IReadOnlyList<Attempt> begun = [];
        await Wait.UntilAsync(
            async () => (begun =
            [
                .. await _one.BeginAttemptsAsync(campaign, 64, TimeSpan.FromMinutes(5)),
                .. await _two.BeginAttemptsAsync(campaign, 64, TimeSpan.FromMinutes(5)),
            ]).Count > 0,
            Patience, "an attempt to begin");
        return begun;
    }

    private async Task<Attempt> BeginAsync(string campaign) => Assert.Single(await BeginAllAsync(campaign));

    private async Task<bool> EndAsync(Attempt attempt, AttemptResult result) =>
        await _one.EndAttemptAsync(attempt, result) || await _two.EndAttemptAsync(attempt, result);

    // As a user or an operator does: again, until it is answered.
    private static async Task TryAsync(Func<Task> act)
    {
        while (true)
        {
            try
            {
                await act();
                return;
            }
            catch (StoreException)
            {
                await Task.Yield();
            }
        }
    }

    private static (long Accepted, long Succeeded, long Rejected) Numbers(Campaign campaign) =>
        (campaign.Counts.Accepted, campaign.Counts.Succeeded, campaign.Counts.Rejected);

    private static CampaignSettings FirstCome(long capacity) => new()
    {
        Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch.AddYears(50), Capacity = capacity,
    };

    private static CampaignSettings Draw(long winners) => new()
    {
        Policy = CampaignPolicy.Draw, OpensAt = DateTimeOffset.UnixEpoch.AddYears(50), ClosesAt = DateTimeOffset.UnixEpoch.AddYears(100),
        Capacity = winners,
    };

    private async Task MakeAsync(string id, long capacity) =>
        await _one.PutCampaignAsync(id, FirstCome(capacity), null);

    private async Task<Campaign> ReadAsync(string id) => (await _one.ReadCampaignAsync(id))!;

    private async Task UntilDecidedAsync(string id)
    {
        Campaign? seen = null;
        await Wait.UntilAsync(
            async () => (seen = await _two.ReadCampaignAsync(id)) is { Counts: { Open: 0, Accepted: > 0 } }, Patience, $"{id} to be decided",
            () => $"{seen?.Counts}");
    }

    private async Task<Acceptance> AcceptAsync(DynamoRequestStore store, string campaign, string user, byte[]? body = null) =>
        await store.FindCampaignAsync(campaign) is null ? new Acceptance(AcceptanceOutcome.NoCampaign)
            : await store.AcceptAsync(new Submission(campaign, IdOf(campaign, user), UserId.Of(user)!.Value, body));

    private RequestId IdOf(string campaign, string user) =>
        RequestId.Of(_one.FindCampaign(campaign)!.Secret.Span, campaign, UserId.Of(user)!.Value);
}
