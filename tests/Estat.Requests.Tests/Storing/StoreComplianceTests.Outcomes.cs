// The same suite: attempts of webhooks, outcomes, searches, erasure, and campaigns beside each other.
namespace Estat.Requests.Tests.Storing;

public abstract partial class StoreComplianceTests
{
    [Fact]
    public async Task A_late_worker_changes_nothing()
    {
        await MakeAsync("hook", Webhook());
        await AcceptAsync("hook", "a");
        Attempt late = Assert.Single(await BeginAsync("hook"));
        Assert.Empty(await _store.BeginAttemptsAsync("hook", 10, Lease));
        _time.Advance(Lease + TimeSpan.FromSeconds(1));
        await _time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => _store.FindAsync(late.Request.Id).AsTask().Result!.State == RequestState.Queued, "the lease to end");
        Attempt next = await BeginNextAsync("hook");

        Assert.False(await _store.EndAttemptAsync(late, new AttemptResult(RequestState.Rejected, "late")));
        Assert.True(await _store.EndAttemptAsync(next, new AttemptResult(RequestState.Succeeded)));
        Assert.False(await _store.EndAttemptAsync(next, new AttemptResult(RequestState.Succeeded)));
        Assert.Equal("SUCCEEDED ", await StateAsync("hook", "a"));
        Assert.Equal(2, next.Number);
    }

    [Fact]
    public async Task After_a_kill_what_was_being_tried_is_tried_again_and_the_old_attempt_ends_nothing()
    {
        await MakeAsync("hook", Webhook());
        await AcceptAsync("hook", "a");
        Attempt old = Assert.Single(await BeginAsync("hook"));
        await KillAsync();
        Attempt next = await BeginNextAsync("hook");

        Assert.True(next.Request.Fence > old.Request.Fence);
        Assert.False(await _store.EndAttemptAsync(old, new AttemptResult(RequestState.Succeeded)));
        Assert.True(await _store.EndAttemptAsync(next, new AttemptResult(RequestState.Rejected, "no", """{"why":"sold out"}""")));
        Assert.Equal("REJECTED no", await StateAsync("hook", "a"));
        Assert.Equal("""{"why":"sold out"}""", (await _store.FindAsync(old.Request.Id))!.Result);
    }

    [Fact]
    public async Task Attempts_begin_in_the_order_of_sequences_and_bring_the_bodies()
    {
        await MakeAsync("hook", Webhook());
        foreach (int i in Enumerable.Range(0, 30))
        {
            await AcceptAsync("hook", $"user{i}", $$"""{"n":{{i}}}""");
        }

        var begun = new List<Attempt>();
        await Wait.UntilAsync(
            async () =>
            {
                begun.AddRange(await _store.BeginAttemptsAsync("hook", 7, Lease));
                return begun.Count == 30;
            },
            Patience, "thirty attempts");
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (long)i), begun.Select(attempt => attempt.Request.Sequence));
        Assert.Equal("""{"n":29}""", System.Text.Encoding.UTF8.GetString(begun[^1].Body.Span));
    }

    [Fact]
    public async Task Every_final_state_of_a_generation_is_one_outcome_in_batches_that_never_change()
    {
        await MakeAsync("sale", FirstCome(2));
        foreach (string user in new[] { "bad1", "a", "b", "c" })
        {
            await AcceptAsync("sale", user);
        }

        await _time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => _store.FindCampaign("sale")!.Counts.Open == 0, "everything to be decided");
        OutcomeBatch first = (await _store.NextOutcomesAsync(3))!;
        await KillAsync();
        OutcomeBatch again = (await _store.NextOutcomesAsync(100))!;
        Assert.Equal((first.Number, first.Epoch, first.CutAt), (again.Number, again.Epoch, again.CutAt));
        Assert.Equal(first.Outcomes, again.Outcomes);
        await _store.OutcomesStoredAsync(first);
        _rule.Fails = false;
        await _store.RedriveAsync([IdOf("sale", "bad1")], isDryRun: false);
        await UntilDecidedAsync("sale");
        OutcomeBatch second = (await _store.NextOutcomesAsync(100))!;
        await _store.OutcomesStoredAsync(first); // an old word changes nothing
        Assert.Equal(second.Outcomes.Count, _store.PendingOutcomes.Count);
        await _store.OutcomesStoredAsync(second);

        Assert.Null(await _store.NextOutcomesAsync(100));
        Outcome[] all = [.. first.Outcomes, .. second.Outcomes];
        Assert.Equal(Enumerable.Range(1, 5).Select(i => (long)i), all.Select(outcome => outcome.Number));
        Assert.Equal(5, all.Select(outcome => (outcome.Id, outcome.Generation)).Distinct().Count());
        Assert.Equal([1, 2], all.Where(outcome => outcome.Id == IdOf("sale", "bad1")).Select(outcome => outcome.Generation));
        Assert.Equal(0, _store.PendingOutcomes.Count);
    }

    [Fact]
    public async Task A_search_finds_by_campaign_user_state_and_time_and_pages_cover_each_once()
    {
        await MakeAsync("sale", FirstCome(5));
        await MakeAsync("other", FirstCome(5));
        foreach (int i in Enumerable.Range(0, 12))
        {
            await AcceptAsync("sale", $"user{i}");
        }

        await AcceptAsync("other", "user3");
        await UntilDecidedAsync("sale");
        await UntilDecidedAsync("other");

        Assert.Equal(2, (await SearchAllAsync(new RequestFilter { User = UserId.Of("user3") })).Count);
        Assert.Equal(5, (await SearchAllAsync(new RequestFilter { CampaignId = "sale", State = RequestState.Succeeded })).Count);
        Assert.Equal(7, (await SearchAllAsync(new RequestFilter { Reason = Reasons.Full })).Count);
        Assert.Empty(await SearchAllAsync(new RequestFilter { Since = _time.GetUtcNow().AddHours(1) }));
        Assert.Single(await SearchAllAsync(new RequestFilter { Id = IdOf("sale", "user3") }));
        Assert.Empty(await SearchAllAsync(new RequestFilter { CampaignId = "other", Id = IdOf("sale", "user3") }));
        IReadOnlyList<RequestRecord> all = await SearchAllAsync(new RequestFilter());
        Assert.Equal(13, all.Select(request => request.Id).Distinct().Count());
        Assert.Equal(13, all.Count);
    }

    [Fact]
    public async Task An_erased_user_leaves_request_sequence_and_state_and_cannot_enter_again()
    {
        await MakeAsync("sale", FirstCome(1));
        await AcceptAsync("sale", "ann", """{"size":"M"}""");
        await UntilDecidedAsync("sale");
        Assert.Equal(1, await _store.EraseUserAsync(UserId.Of("ann")!.Value));
        RequestRecord erased = (await _store.FindAsync(IdOf("sale", "ann")))!;

        Assert.Null(erased.User);
        Assert.Equal((1L, RequestState.Succeeded), (erased.Sequence, erased.State));
        Assert.Equal(AcceptanceOutcome.Known, (await AcceptAsync("sale", "ann")).Outcome);
        Assert.Equal(0, await _store.EraseUserAsync(UserId.Of("ann")!.Value));
    }

    [Fact]
    public async Task Bodies_of_decided_requests_go_after_their_time_and_those_of_dead_letters_stay_for_a_redrive()
    {
        await MakeAsync("sale", FirstCome(1));
        await MakeAsync("hook", Webhook());
        await AcceptAsync("sale", "a", """{"n":1}""");
        await AcceptAsync("sale", "b", """{"n":2}""");
        await AcceptAsync("sale", "without");
        await AcceptAsync("hook", "c", """{"n":3}""");
        Attempt refused = Assert.Single(await BeginAsync("hook"));
        await _store.EndAttemptAsync(refused, new AttemptResult(RequestState.FailedFinal, Reasons.Refused));
        await UntilDecidedAsync("sale");
        await UntilDecidedAsync("hook");
        Assert.Equal(0, await DropAllAsync(_time.GetUtcNow().AddHours(-1)));
        Assert.Equal(2, await DropAllAsync(_time.GetUtcNow().AddHours(1)));
        Assert.Equal(0, await DropAllAsync(_time.GetUtcNow().AddHours(1)));

        await _store.RedriveAsync([IdOf("hook", "c")], isDryRun: false);
        Attempt again = Assert.Single(await BeginAsync("hook"));
        Assert.Equal("""{"n":3}""", System.Text.Encoding.UTF8.GetString(again.Body.Span));
        await _store.EndAttemptAsync(again, new AttemptResult(RequestState.Succeeded));
        await UntilDecidedAsync("hook");
        Assert.Equal(1, await DropAllAsync(_time.GetUtcNow().AddHours(1)));
    }

    [Fact]
    public async Task The_flood_of_one_campaign_leaves_room_and_a_turn_for_another()
    {
        await _store.DisposeAsync();
        _store = await _place.OpenAsync(_rule, _time, queue: 100);
        await MakeAsync("flood", FirstCome(1_000_000));
        await MakeAsync("small", FirstCome(1));
        Task<Acceptance>[] flood = [.. Enumerable.Range(0, 5_000).Select(i => Task.Run(() => AcceptAsync("flood", $"user{i}")))];
        Acceptance small = await AcceptAsync("small", "ann");
        await UntilDecidedAsync("small");
        Acceptance[] answers = await Task.WhenAll(flood);

        Assert.Equal(AcceptanceOutcome.Accepted, small.Outcome);
        Assert.All(answers, answer => Assert.True(answer.Outcome is AcceptanceOutcome.Accepted or AcceptanceOutcome.QueueFull, $"{answer.Outcome}"));
        Assert.Equal(answers.Count(answer => answer.Outcome == AcceptanceOutcome.Accepted), _store.FindCampaign("flood")!.Counts.Accepted);
    }

    [Fact]
    public async Task An_endpoint_hears_neither_user_nor_body_of_an_erased_one_and_its_reason_is_kept_as_it_is()
    {
        await MakeAsync("hook", Webhook());
        await AcceptAsync("hook", "ann", """{"size":"M"}""");
        Assert.Equal(1, await _store.EraseUserAsync(UserId.Of("ann")!.Value));
        Attempt attempt = Assert.Single(await BeginAsync("hook"));
        Assert.Equal((null, true), (attempt.Request.User, attempt.Body.IsEmpty));

        await _store.EndAttemptAsync(attempt, new AttemptResult(RequestState.Rejected, "sold\0out"));
        Assert.Equal("sold\0out", (await _store.FindAsync(attempt.Request.Id))!.Reason);
    }

    private async Task<int> DropAllAsync(DateTimeOffset before)
    {
        int all = 0;
        for (int some = 1; some > 0;)
        {
            all += some = await _store.DropBodiesAsync(before, 1);
        }

        return all;
    }
}
