// What every store promises: docs/requests.md. Each adapter has a class of its own that names its place.
using Estat.Requests.Drawing;

namespace Estat.Requests.Tests.Storing;

public abstract partial class StoreComplianceTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();
    private readonly TestRule _rule = new();
    private IStorePlace _place = null!;
    private IRequestStore _store = null!;

    private protected abstract IStorePlace NewPlace();

    public async ValueTask InitializeAsync()
    {
        _place = NewPlace();
        _store = await _place.OpenAsync(_rule, _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _place.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_campaign_is_made_once_and_changed_only_as_it_was_seen()
    {
        Assert.Equal(CampaignChangeOutcome.Created, (await _store.PutCampaignAsync("sale", FirstCome(5), expected: 0)).Outcome);
        Assert.Equal(CampaignChangeOutcome.OtherVersion, (await _store.PutCampaignAsync("sale", FirstCome(5), expected: 0)).Outcome);
        CampaignChange changed = await _store.PutCampaignAsync("sale", FirstCome(6), expected: 1);

        Assert.Equal((CampaignChangeOutcome.Changed, 6L, 2L), (changed.Outcome, changed.Campaign!.Settings.Capacity, changed.Campaign.Version));
        Assert.Equal(CampaignChangeOutcome.NotFound, (await _store.PutCampaignAsync("other", FirstCome(5), expected: 1)).Outcome);
    }

    [Fact]
    public async Task One_request_for_each_user_and_campaign_whoever_races_and_after_every_restart()
    {
        await MakeAsync("sale", FirstCome(10));
        await MakeAsync("other", FirstCome(10));
        Acceptance[] racers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => AcceptAsync("sale", "ann"))));
        RequestId id = Assert.Single(racers.Select(racer => racer.Request!.Id).Distinct());
        Assert.Equal(1, racers.Count(racer => racer.Outcome == AcceptanceOutcome.Accepted));

        await KillAsync();
        Acceptance again = await AcceptAsync("sale", "ann");
        Assert.Equal((AcceptanceOutcome.Known, id, 1L), (again.Outcome, again.Request!.Id, again.Request.Sequence));
        Assert.NotEqual(id, (await AcceptAsync("other", "ann")).Request!.Id);
        Assert.Equal(1, _store.FindCampaign("sale")!.Counts.Accepted);
    }

    [Fact]
    public async Task What_was_accepted_is_there_after_a_kill_and_is_decided()
    {
        await MakeAsync("sale", FirstCome(3));
        Acceptance[] accepted = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AcceptAsync("sale", $"user{i}")));
        await KillAsync();
        await UntilDecidedAsync("sale");

        Assert.All(accepted, acceptance => Assert.NotNull(_store.FindAsync(acceptance.Request!.Id).AsTask().Result));
        AssertConserved("sale");
        Assert.Equal((20L, 3L, 17L), Numbers("sale"));
    }

    [Fact]
    public async Task The_first_come_get_the_places_but_for_those_that_left_or_failed()
    {
        await MakeAsync("sale", FirstCome(3));
        await _store.PauseAsync("sale", isPaused: true);
        foreach (string user in new[] { "gone", "bad1", "a", "b", "c", "d" })
        {
            await AcceptAsync("sale", user);
        }

        Assert.Null((await _store.WithdrawAsync(IdOf("sale", "gone"))).Refusal);
        await _store.PauseAsync("sale", isPaused: false);
        await _time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => _store.FindCampaign("sale")!.Counts.Open == 0, "everything to be decided");

        Assert.Equal("REJECTED withdrawn", await StateAsync("sale", "gone"));
        Assert.Equal("FAILED_FINAL attempts-exhausted", await StateAsync("sale", "bad1"));
        Assert.Equal("SUCCEEDED ", await StateAsync("sale", "a"));
        Assert.Equal("SUCCEEDED ", await StateAsync("sale", "c"));
        Assert.Equal("REJECTED full", await StateAsync("sale", "d"));
        AssertConserved("sale");
    }

    [Fact]
    public async Task Nobody_passes_a_request_that_has_failed_while_it_has_attempts_left()
    {
        await MakeAsync("sale", FirstCome(1));
        await AcceptAsync("sale", "bad1");
        await AcceptAsync("sale", "next");
        await Wait.UntilAsync(
            async () => (await _store.FindAsync(IdOf("sale", "bad1")))!.Attempts == 1, Patience, "the first attempt to fail");
        Assert.Equal("QUEUED ", await StateAsync("sale", "next"));
        _rule.Fails = false;
        await _time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => _store.FindCampaign("sale")!.Counts.Open == 0, "both to be decided");

        Assert.Equal("SUCCEEDED ", await StateAsync("sale", "bad1"));
        Assert.Equal("REJECTED full", await StateAsync("sale", "next"));
    }

    [Fact]
    public async Task A_redrive_gets_a_place_that_is_free_and_redriving_twice_is_redriving_once()
    {
        await MakeAsync("sale", FirstCome(2));
        foreach (string user in new[] { "bad1", "bad2", "a" })
        {
            await AcceptAsync("sale", user);
        }

        await _time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => _store.FindCampaign("sale")!.Counts.Open == 0, "everything to be decided");
        _rule.Fails = false;
        RequestId[] ids = [IdOf("sale", "bad1"), IdOf("sale", "bad2"), IdOf("sale", "a")];
        Assert.Equal(2, (await _store.RedriveAsync(ids, isDryRun: true)).Count);
        Assert.Equal(2, _store.FindCampaign("sale")!.Counts.Failed);
        await _store.PauseAsync("sale", isPaused: true);
        Assert.Equal(2, (await _store.RedriveAsync(ids, isDryRun: false)).Count);
        Assert.Empty(await _store.RedriveAsync(ids, isDryRun: false));
        await _store.PauseAsync("sale", isPaused: false);
        await UntilDecidedAsync("sale");

        Assert.Equal("SUCCEEDED ", await StateAsync("sale", "bad1"));
        Assert.Equal("REJECTED full", await StateAsync("sale", "bad2"));
        RequestRecord redriven = (await _store.FindAsync(ids[0]))!;
        Assert.Equal((2, 1L), (redriven.Generation, redriven.Sequence));
        Assert.Empty(await _store.RedriveAsync(ids, isDryRun: false));
        AssertConserved("sale");
    }

    [Fact]
    public async Task Before_the_opening_and_after_the_close_nothing_is_accepted_but_known_users_are_answered()
    {
        DateTimeOffset now = _time.GetUtcNow();
        await MakeAsync("sale", FirstCome(1) with { OpensAt = now.AddMinutes(1), ClosesAt = now.AddMinutes(2) });
        Assert.Equal(AcceptanceOutcome.NotYet, (await AcceptAsync("sale", "a")).Outcome);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(AcceptanceOutcome.Accepted, (await AcceptAsync("sale", "a")).Outcome);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(AcceptanceOutcome.Closed, (await AcceptAsync("sale", "b")).Outcome);
        Assert.Equal(AcceptanceOutcome.Known, (await AcceptAsync("sale", "a")).Outcome);
        await Wait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(50)); // a decider that lost its lease in the jump gets it back by time alone
                return _store.FindCampaign("sale")!.ClosedAt is not null;
            },
            Patience,
            "the close");
        _time.UtcNow = now.AddSeconds(70); // a clock that is set back opens nothing
        Assert.Equal(AcceptanceOutcome.Closed, (await AcceptAsync("sale", "b")).Outcome);
    }

    [Fact]
    public async Task A_close_in_the_middle_of_a_flood_is_the_last_word()
    {
        await MakeAsync("sale", FirstCome(1_000_000));
        using var end = new CancellationTokenSource();
        Task<long>[] flood = [.. Enumerable.Range(0, 8).Select(sender => Task.Run(async () =>
        {
            long last = 0;
            for (int i = 0; !end.IsCancellationRequested; i++)
            {
                Acceptance acceptance = await AcceptAsync("sale", $"{sender}-{i}");
                last = acceptance.Outcome == AcceptanceOutcome.Accepted ? Math.Max(last, acceptance.Request!.Sequence) : last;
            }

            return last;
        }))];
        await Wait.UntilAsync(() => _store.FindCampaign("sale")!.LastSequence > 200, Patience, "the flood");
        CampaignChange closed = await _store.CloseAsync("sale");
        Assert.Equal(AcceptanceOutcome.Closed, (await AcceptAsync("sale", "late")).Outcome);
        await end.CancelAsync();
        long[] last = await Task.WhenAll(flood);

        Assert.True(last.Max() <= closed.Campaign!.LastSequence, $"{last.Max()} was accepted after the close at {closed.Campaign.LastSequence}");
        Assert.Equal(closed.Campaign.LastSequence, _store.FindCampaign("sale")!.LastSequence);
    }

    [Fact]
    public async Task A_request_is_withdrawn_before_it_is_decided_and_before_the_close_and_never_enters_again()
    {
        await MakeAsync("prize", Draw(1));
        await AcceptAsync("prize", "a");
        await AcceptAsync("prize", "b");
        Withdrawal first = await _store.WithdrawAsync(IdOf("prize", "a"));
        Withdrawal again = await _store.WithdrawAsync(IdOf("prize", "a"));

        Assert.Equal((null, null), (first.Refusal, again.Refusal));
        Assert.Equal(RequestState.Rejected, (await AcceptAsync("prize", "a")).Request!.State);
        await _store.CloseAsync("prize");
        Assert.NotNull((await _store.WithdrawAsync(IdOf("prize", "b"))).Refusal);
        Assert.Null((await _store.WithdrawAsync(new RequestId(Guid.NewGuid()))).Request);
    }

    [Fact]
    public async Task A_draw_decides_all_that_were_in_at_the_close_by_its_winners()
    {
        await MakeAsync("prize", Draw(3));
        foreach (int i in Enumerable.Range(0, 50))
        {
            await AcceptAsync("prize", $"user{i}");
        }

        await _store.WithdrawAsync(IdOf("prize", "user7"));
        await _store.CloseAsync("prize");
        Campaign campaign = _store.FindCampaign("prize")!;
        IReadOnlyList<RequestId> ids = await _store.ListForDrawAsync(campaign, CancellationToken.None);
        var office = new DrawOffice(_store, _time);
        (DrawOutcome outcome, Campaign? drawn, _) = await office.DrawAsync("prize", null, CancellationToken.None);
        await UntilDecidedAsync("prize");

        Assert.Equal(49, ids.Count);
        Assert.DoesNotContain(IdOf("prize", "user7"), ids);
        Assert.Equal(ids.Order(), ids);
        Assert.Equal((DrawOutcome.Drawn, 49L, Lot.CutOf(ids)), (outcome, drawn!.Draw!.Count, drawn.Draw.Cut));
        IReadOnlyList<RequestId> winners = Lot.Draw(ids, 3, campaign.Seed.Span, null);
        foreach (RequestId id in ids)
        {
            RequestRecord request = (await _store.FindAsync(id))!;
            Assert.Equal(winners.Contains(id) ? RequestState.Succeeded : RequestState.Rejected, request.State);
        }

        AssertConserved("prize");
        (_, Campaign? again, _) = await office.DrawAsync("prize", null, CancellationToken.None);
        Assert.Equal(drawn.Draw, again!.Draw);
        Assert.Equal(DrawOutcome.Refused, (await office.DrawAsync("prize", new string('a', 64), CancellationToken.None)).Outcome);
    }

    [Fact]
    public async Task Capacity_grows_until_somebody_was_turned_away()
    {
        await MakeAsync("sale", FirstCome(1));
        await AcceptAsync("sale", "a");
        await UntilDecidedAsync("sale");
        Assert.Equal(CampaignChangeOutcome.Changed, (await _store.PutCampaignAsync("sale", FirstCome(2), null)).Outcome);
        Assert.Equal(CampaignChangeOutcome.Refused, (await _store.PutCampaignAsync("sale", FirstCome(1), null)).Outcome);
        await AcceptAsync("sale", "b");
        await AcceptAsync("sale", "c");
        await UntilDecidedAsync("sale");

        Assert.Equal((3L, 2L, 1L), Numbers("sale"));
        Assert.Equal(CampaignChangeOutcome.Refused, (await _store.PutCampaignAsync("sale", FirstCome(3), null)).Outcome);
    }

    private async Task KillAsync()
    {
        await _place.KillAsync(_store);
        _store = await _place.OpenAsync(_rule, _time);
    }

    private async Task MakeAsync(string id, CampaignSettings settings) =>
        Assert.Equal(CampaignChangeOutcome.Created, (await _store.PutCampaignAsync(id, settings, expected: 0)).Outcome);

    private async Task<Acceptance> AcceptAsync(string campaign, string user, string body = "") =>
        await _store.AcceptAsync(new Submission(
            campaign, IdOf(campaign, user), UserId.Of(user)!.Value, System.Text.Encoding.UTF8.GetBytes(body)));

    private RequestId IdOf(string campaign, string user) =>
        RequestId.Of(_store.FindCampaign(campaign)!.Secret.Span, campaign, UserId.Of(user)!.Value);

    private async Task<string> StateAsync(string campaign, string user)
    {
        RequestRecord request = (await _store.FindAsync(IdOf(campaign, user)))!;
        return $"{request.State.ToText()} {request.Reason}";
    }

    // Attempts begin at what an earlier commit made durable.
    private async Task<IReadOnlyList<Attempt>> BeginAsync(string campaign)
    {
        IReadOnlyList<Attempt> begun = [];
        await Wait.UntilAsync(
            async () => (begun = await _store.BeginAttemptsAsync(campaign, 10, Lease)).Count > 0, Patience, "an attempt to begin");
        return begun;
    }

    private async Task<Attempt> BeginNextAsync(string campaign)
    {
        IReadOnlyList<Attempt> begun = [];
        await Wait.UntilAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return (begun = await _store.BeginAttemptsAsync(campaign, 10, Lease)).Count > 0;
            },
            Patience, "the next attempt to begin");
        return Assert.Single(begun);
    }

    private async Task<IReadOnlyList<RequestRecord>> SearchAllAsync(RequestFilter filter)
    {
        var all = new List<RequestRecord>();
        string? cursor = null;
        do
        {
            RequestPage page = await _store.SearchAsync(filter, cursor, 4, CancellationToken.None);
            Assert.True(page.Requests.Count <= 4);
            all.AddRange(page.Requests);
            cursor = page.Cursor;
        }
        while (cursor is not null);
        return all;
    }

    private Task UntilDecidedAsync(string campaign) => Wait.UntilAsync(
        () => _store.FindCampaign(campaign)!.Counts.Open == 0, Patience, $"everything of {campaign} to be decided",
        () => $"{_store.FindCampaign(campaign)!.Counts}");

    private void AssertConserved(string campaign) =>
        Assert.Equal(_store.FindCampaign(campaign)!.Counts.Accepted, _store.FindCampaign(campaign)!.Counts.Sum);

    private (long Accepted, long Succeeded, long Rejected) Numbers(string campaign)
    {
        CampaignCounts counts = _store.FindCampaign(campaign)!.Counts;
        return (counts.Accepted, counts.Succeeded, counts.Rejected);
    }

    private CampaignSettings FirstCome(long capacity) =>
        new() { Policy = CampaignPolicy.FirstCome, OpensAt = _time.GetUtcNow().AddDays(-1), Capacity = capacity };

    private CampaignSettings Draw(long winners) => new()
    {
        Policy = CampaignPolicy.Draw, OpensAt = _time.GetUtcNow().AddDays(-1), ClosesAt = _time.GetUtcNow().AddDays(1), Capacity = winners,
    };

    private CampaignSettings Webhook() => new()
    {
        Policy = CampaignPolicy.Webhook, OpensAt = _time.GetUtcNow().AddDays(-1),
        Webhook = new WebhookSettings(new Uri("https://shop.example/decide"), ["0123456789abcdef"]),
    };
}
