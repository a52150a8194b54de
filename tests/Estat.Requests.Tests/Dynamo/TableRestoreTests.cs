// A table that came out of a backup: here the table itself, whose nodes have ended.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Aws.Items;
using Estat.Requests.Drawing;
using Estat.Requests.Deciding;
using Estat.Requests.Tests.Storing;

namespace Estat.Requests.Tests.Dynamo;

public sealed class TableRestoreTests(LocalDynamo dynamo) : IClassFixture<LocalDynamo>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task It_decides_what_it_has_takes_nothing_before_the_operator_and_gives_no_sequence_again()
    {
        var place = new DynamoPlace(dynamo.Emulator);
        var before = (DynamoRequestStore)await place.OpenAsync(new DecisionRule(), TimeProvider.System, 20_000);
        await before.PutCampaignAsync("sale", FirstCome(), null);
        await before.PutCampaignAsync("prize", FirstCome() with { Policy = CampaignPolicy.Draw, ClosesAt = DateTimeOffset.UtcNow.AddDays(1) }, null);
        await before.PauseAsync("sale", isPaused: true);
        foreach (int i in Enumerable.Range(0, 5))
        {
            await AcceptAsync(before, "sale", $"user{i}");
            await AcceptAsync(before, "prize", $"user{i}");
        }

        await AcceptAsync(before, "sale", "gone");
        Assert.Null((await before.WithdrawAsync(IdOf(before, "sale", "gone"))).Refusal);
        await Wait.UntilAsync(() => before.PendingOutcomes.Count == 1, Patience, "the withdrawal's outcome");
        string epoch = (await before.NextOutcomesAsync(10))!.Epoch;
        await before.DisposeAsync();

        Assert.Equal(2, await TableRestore.PrepareAsync(place.Options, "eu-central-1"));
        Assert.Equal(2, await TableRestore.PrepareAsync(place.Options, "eu-central-1")); // somebody who is not sure
        var held = (DynamoRequestStore)await place.OpenAsync(new DecisionRule(), TimeProvider.System, 20_000);
        try
        {
            Assert.True(held.IsHeld);
            Assert.Equal(AcceptanceOutcome.Held, (await AcceptAsync(held, "sale", "late")).Outcome);
            await held.PauseAsync("sale", isPaused: false);
            await Wait.UntilAsync(() => held.FindCampaign("sale")!.Counts is { Open: 0, Succeeded: 3 }, Patience, "what it has to be decided",
                () => $"{held.FindCampaign("sale")!.Counts}");
            Assert.Equal(6, held.FindCampaign("sale")!.Counts.Accepted);
            Assert.NotEqual(epoch, (await held.NextOutcomesAsync(10))!.Epoch);

            await TableRestore.ResumeAsync(place.Options, "eu-central-1");
            await Wait.UntilAsync(() => !held.IsHeld, Patience, "the node to hear of it");
            Acceptance late = await AcceptAsync(held, "sale", "late");
            Assert.Equal((AcceptanceOutcome.Accepted, 6 + (2 * TableRestore.Skip) + 1), (late.Outcome, late.Request!.Sequence));
            Assert.Equal(AcceptanceOutcome.Known, (await AcceptAsync(held, "sale", "user1")).Outcome);
            await Wait.UntilAsync(() => held.FindCampaign("sale")!.Counts is { Open: 0, Rejected: 4 }, Patience, "the late one to be decided");

            await AcceptAsync(held, "prize", "late");
            await held.CloseAsync("prize");
            (_, Campaign? drawn, _) = await new DrawOffice(held, TimeProvider.System).DrawAsync("prize", null, CancellationToken.None);
            Assert.Equal(6, drawn!.Draw!.Count);
            Assert.Equal(13, (await AllAsync(held)).Count);
        }
        finally
        {
            await held.DisposeAsync();
        }
    }

    [Fact]
    public async Task Transactions_that_were_restored_by_halves_are_made_whole_from_the_requests()
    {
        var place = new DynamoPlace(dynamo.Emulator, mostAttempts: 1);
        var before = (DynamoRequestStore)await place.OpenAsync(new TestRule(), TimeProvider.System, 20_000);
        await before.PutCampaignAsync("sale", FirstCome(), null);
        foreach (string user in new[] { "a", "b", "bad", "lost", "c", "d" })
        {
            await AcceptAsync(before, "sale", user);
        }

        await Wait.UntilAsync(() => before.FindCampaign("sale")!.Counts is { Open: 0, Accepted: 6 }, Patience, "the decisions");
        await before.DisposeAsync();
        using var table = new DynamoTable(place.Options, "eu-central-1", new StoreClock(TimeProvider.System));
        await table.DeleteAsync(Keys.Request(IdOf(before, "sale", "lost"))); // its entry is there
        await table.DeleteAsync(Keys.Entry("sale", 2));
        await table.DeleteAsync(Keys.Outcome("sale", 1));
        await table.DeleteAsync(Keys.DeadLetter("sale", 3));

        // A place too few, and an outcome too many.
        await table.UpdateAsync(Change.Update(Keys.Progress("sale")).Set("su", 1).Set("de", 6).Set("ou", 7));
        RequestRecord late = RequestItem.Read((await table.GetAsync(Keys.Request(IdOf(before, "sale", "d"))))!).Record;
        await table.UpdateAsync(RequestItem.Step(
            late, late with { State = RequestState.Queued, Reason = null, Times = late.Times with { Final = 0 } }));

        await TableRestore.PrepareAsync(place.Options, "eu-central-1");
        var after = (DynamoRequestStore)await place.OpenAsync(new TestRule(), TimeProvider.System, 20_000);
        await Wait.UntilAsync(() => after.FindCampaign("sale")!.Counts is { Open: 0, Accepted: 5 }, Patience, "what was not decided",
            () => $"{after.FindCampaign("sale")!.Counts}");
        OutcomeBatch outcomes = (await after.NextOutcomesAsync(100))!;
        await after.DisposeAsync();

        TableScan scan = await TableScan.ReadAsync(table);
        Assert.DoesNotContain(scan.Faults(), fault => !fault.Contains("sequences, for", StringComparison.Ordinal)); // but for those that were skipped
        Assert.Equal(3, scan.Requests.Count(request => request.Record.State == RequestState.Succeeded));
        Assert.Equal(5, outcomes.Outcomes.Select(outcome => outcome.Id).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, outcomes.Outcomes.Count).Select(i => (long)i), outcomes.Outcomes.Select(outcome => outcome.Number));
    }

    private static async Task<List<RequestRecord>> AllAsync(DynamoRequestStore store)
    {
        var all = new List<RequestRecord>();
        string? cursor = null;
        do
        {
            RequestPage page = await store.SearchAsync(new RequestFilter(), cursor, 4, CancellationToken.None);
            all.AddRange(page.Requests);
            cursor = page.Cursor;
        }
        while (cursor is not null);
        return all;
    }

    private static CampaignSettings FirstCome() =>
        new() { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 3 };

    private static async Task<Acceptance> AcceptAsync(DynamoRequestStore store, string campaign, string user) =>
        await store.AcceptAsync(new Submission(campaign, IdOf(store, campaign, user), UserId.Of(user)!.Value, default));

    private static RequestId IdOf(DynamoRequestStore store, string campaign, string user) =>
        RequestId.Of(store.FindCampaign(campaign)!.Secret.Span, campaign, UserId.Of(user)!.Value);
}
