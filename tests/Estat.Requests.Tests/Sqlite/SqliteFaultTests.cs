// The folder goes, the disk has no room, or a transaction hangs: what is said of new requests and of those that are there.
using Estat.Http.Metrics;
using Estat.Requests.Deciding;
using Estat.Requests.Intake;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Sqlite;

public sealed class SqliteFaultTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("the folder is moved")]
    [InlineData("the database is removed")]
    [InlineData("the database is replaced")]
    public async Task Once_the_database_is_not_in_its_place_nothing_is_accepted(string how)
    {
        await using SqliteRequestStore store = Open(new DecisionRule());
        await MakeAsync(store);
        Assert.Equal(AcceptanceOutcome.Accepted, (await AcceptAsync(store, "ann")).Outcome);
        string database = Path.Combine(_folder["requests"], Database.FileName);
        if (how == "the folder is moved")
        {
            Directory.Move(_folder["requests"], _folder["elsewhere"]);
        }
        else
        {
            File.Move(database, _folder["elsewhere"]);
            if (how == "the database is replaced")
            {
                File.Copy(_folder["elsewhere"], database);
            }
        }

        int sent = 0;
        await Wait.UntilAsync(
            async () => (await AcceptAsync(store, $"user{sent++}")).Outcome == AcceptanceOutcome.NotTaken, Patience, "the loss to be noticed");
        Assert.Contains("REQUESTS_DIR", store.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_room_new_requests_are_refused_and_known_ones_answered()
    {
        await using (SqliteRequestStore before = Open(new DecisionRule()))
        {
            await MakeAsync(before);
            await AcceptAsync(before, "ann");
        }

        await using SqliteRequestStore store = Open(new DecisionRule(), leastFree: long.MaxValue);
        Assert.Equal(AcceptanceOutcome.StorageFull, (await AcceptAsync(store, "bob")).Outcome);
        Assert.Equal(AcceptanceOutcome.Known, (await AcceptAsync(store, "ann")).Outcome);
        Assert.Equal(1, store.FindCampaign("sale")!.Counts.Accepted);
    }

    [Fact]
    public async Task While_a_transaction_hangs_nobody_new_waits_with_it_known_users_are_answered_and_then_all_goes_on()
    {
        using var rule = new HangingRule();
        await using SqliteRequestStore store = Open(rule);
        await MakeAsync(store);
        await AcceptAsync(store, "ann");
        rule.Hangs = true;
        ValueTask<Acceptance> caught = AcceptAsync(store, "bob");
        try
        {
            await Wait.UntilAsync(() => store.Fault is not null, Patience, "the hang to be noticed");
            Assert.Equal(AcceptanceOutcome.NotTaken, (await AcceptAsync(store, "cid")).Outcome);

            var counters = new RequestCounters();
            var options = new RequestsOptions();
            var intake = new RequestIntake(
                options, store, new RequestCache(2), new RequestRefusals(options, counters), new TracedRequests(), TimeProvider.System);
            (_, RequestRecord? known, Submission submission) = await intake.EnterAsync("sale", UserId.Of("ann")!.Value);
            Assert.Null(known); // not in memory
            (_, RequestRecord? request, bool isNew) = await intake.AcceptAsync(submission);
            Assert.Equal((1L, false), (request!.Sequence, isNew));
        }
        finally
        {
            rule.Hangs = false;
        }

        await Wait.UntilAsync(() => store.Fault is null, Patience, "the hang to end");
        Assert.Equal(AcceptanceOutcome.Accepted, (await caught).Outcome);
        Assert.Equal(AcceptanceOutcome.Accepted, (await AcceptAsync(store, "cid")).Outcome);
    }

    private SqliteRequestStore Open(IDecisionRule rule, long leastFree = 0)
    {
        var store = new SqliteRequestStore(
            new RequestsOptions { Dir = _folder["requests"], MinFreeBytes = leastFree }, rule, new Nobody(), TimeProvider.System,
            NullLogger.Instance);
        store.Start();
        return store;
    }

    private static async Task MakeAsync(SqliteRequestStore store) => await store.PutCampaignAsync(
        "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UtcNow.AddDays(-1), Capacity = 10 }, 0);

    private static ValueTask<Acceptance> AcceptAsync(SqliteRequestStore store, string user)
    {
        UserId id = UserId.Of(user)!.Value;
        return store.AcceptAsync(new Submission("sale", RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", id), id, default));
    }

    /// <summary>Stands for a disk that hangs in the middle of a transaction.</summary>
    private sealed class HangingRule : IDecisionRule, IDisposable
    {
        private readonly DecisionRule _rule = new();
        private readonly ManualResetEventSlim _goesOn = new(initialState: true);

        internal bool Hangs
        {
            set
            {
                if (value)
                {
                    _goesOn.Reset();
                }
                else
                {
                    _goesOn.Set();
                }
            }
        }

        public Decision Decide(CampaignSettings settings, long succeeded, bool isWinner, RequestRecord request)
        {
            _goesOn.Wait(Patience);
            return _rule.Decide(settings, succeeded, isWinner, request);
        }

        public void Dispose() => _goesOn.Dispose();
    }
}
