// A decider's transaction is written only by who still decides, from where it believes to be: each condition by itself.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Aws.Items;
using Estat.Requests.Deciding;

namespace Estat.Requests.Tests.Dynamo;

public sealed class DecidingTurnTests(LocalDynamo dynamo) : IClassFixture<LocalDynamo>, IAsyncLifetime
{
    private DynamoTable _table = null!;
    private CampaignState _state = null!;
    private StoredRequest _request = null!;

    // A campaign with one request, and nobody who decides it.
    public async ValueTask InitializeAsync()
    {
        var place = new DynamoPlace(dynamo.Emulator);
        var store = (DynamoRequestStore)await place.OpenAsync(new DecisionRule(), TimeProvider.System, 20_000);
        await store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 5 }, null);
        await store.PauseAsync("sale", isPaused: true);
        UserId user = UserId.Of("ann")!.Value;
        RequestId id = RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", user);
        await store.AcceptAsync(new Submission("sale", id, user, default));
        await store.DisposeAsync();
        _table = new DynamoTable(place.Options, "eu-central-1", new StoreClock(TimeProvider.System));
        _state = (await new CampaignBook(_table).RefreshAsync("sale"))!;
        _request = RequestItem.Read((await _table.GetAsync(Keys.Request(id)))!);
    }

    public ValueTask DisposeAsync()
    {
        _table?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("nothing", true)]
    [InlineData("another owner", false)]
    [InlineData("another step", false)]
    [InlineData("another version", false)]
    [InlineData("a withdrawal", false)]
    [InlineData("another attempt", false)]
    [InlineData("a redrive of another request", true)]
    public async Task It_is_written_only_if_nothing_that_it_rests_on_has_changed(string change, bool isWritten)
    {
        DecidingTurn turn = Deciding();
        await _table.UpdateAsync(change switch
        {
            "nothing" => _state.Progress.Beats("sale"),
            "another owner" => _state.Progress.Claim("sale", "another node"),
            "another step" => _state.Progress.To("sale", _state.Progress),
            "another version" => _state.Progress.Renew("sale", 7),
            "a withdrawal" => RequestItem.Withdraw(_request.Record, 1),
            "another attempt" => RequestItem.Step(
                _request.Record, RequestMachine.Begin(_request.Record, TimeSpan.FromSeconds(1), long.MaxValue / 2)!),
            _ => ProgressItem.Redrives("sale", 1),
        });

        Assert.Equal(isWritten, await turn.CommitAsync(_table, CancellationToken.None));
        RequestRecord after = RequestItem.Read((await _table.GetAsync(Keys.Request(_request.Record.Id)))!).Record;
        Assert.Equal(isWritten, after.State == RequestState.Succeeded);
        Assert.Equal(isWritten, await _table.GetAsync(Keys.Outcome("sale", 1)) is not null);
    }

    [Fact]
    public async Task The_operator_s_change_rests_on_nobody_having_been_turned_away()
    {
        Change change = _state.Progress.Renew("sale", 7);
        await _table.UpdateAsync(_state.Progress.To("sale", _state.Progress with { HasTurnedAway = true }));

        Assert.NotNull(await _table.TransactAsync([change]));
    }

    [Fact]
    public async Task What_rests_on_an_untouched_campaign_is_not_written_once_a_sequence_was_given()
    {
        Assert.Equal(1, _state.Sequence.Last);
        Assert.NotNull(await _table.TransactAsync([_state.Sequence.Move("sale", isUntouched: true)]));
        Assert.Null(await _table.TransactAsync([_state.Sequence.Move("sale", isUntouched: false)]));
        Assert.Null(await _table.UpdateAsync(SequenceItem.Take("sale", 1, _state.Sequence.Window)));
        Assert.NotNull(await _table.UpdateAsync(SequenceItem.Take("sale", 1, _state.Sequence.Window + 1)));
        await _table.UpdateAsync(SequenceItem.Close("sale"));
        Assert.Null(await _table.UpdateAsync(SequenceItem.Take("sale", 1, _state.Sequence.Window + 2)));
    }

    [Theory]
    [InlineData(3_600, true)]
    [InlineData(0, false)]
    public async Task A_node_whose_clock_is_ahead_closes_nothing_before_its_time(int secondsAhead, bool isOpen)
    {
        var time = new ManualTimeProvider();
        var clock = new StoreClock(time);
        time.Advance(TimeSpan.FromSeconds(secondsAhead));
        clock.See(time.GetUtcNow(), time.GetUtcNow() - TimeSpan.FromSeconds(secondsAhead));
        var book = new CampaignBook(_table);
        CampaignState state = (await book.RefreshAsync("sale"))!;
        Campaign due = state.Campaign with
        {
            Settings = state.Campaign.Settings with { ClosesAt = time.GetUtcNow() - TimeSpan.FromMinutes(1) }, Version = 9,
        };
        await _table.UpdateAsync(state.Directory.To(due));
        await book.RefreshAsync("sale");
        await new CampaignCloser(_table, book, clock, time).CloseIfDueAsync(state, () => Task.CompletedTask, CancellationToken.None);

        Assert.Equal(isOpen, state.Campaign.ClosedAt is null);
    }

    [Fact]
    public async Task A_close_gives_up_every_sequence_whose_request_is_still_on_its_way()
    {
        var book = new CampaignBook(_table);
        CampaignState state = (await book.RefreshAsync("sale"))!;
        SequenceItem taken = SequenceItem.Read((await _table.UpdateAsync(SequenceItem.Take("sale", 3, state.Sequence.Window)))!);
        var closer = new CampaignCloser(_table, book, new StoreClock(TimeProvider.System), TimeProvider.System);
        await closer.CloseAsync(state, DateTimeOffset.UtcNow, isByOperator: true);

        Assert.NotNull(state.Campaign.ClosedAt);
        foreach (long late in new[] { taken.Last - 2, taken.Last })
        {
            Assert.NotNull(await _table.TransactAsync([OrderLog.Enter("sale", late, _request.Record.Id)]));
        }

        Assert.NotNull(await _table.TransactAsync(
            [RequestItem.Withdraw(_request.Record, 1), Change.Check(Keys.Sequence("sale")).IfIs(SequenceItem.Open, 1)]));
    }

    private DecidingTurn Deciding()
    {
        var turn = new DecidingTurn("sale", _state.Progress, pendingBefore: false);
        turn.Next = turn.Next with { Decided = 1 };
        turn.Move(_request, RequestMachine.Decide(_request.Record, RequestState.Succeeded, null, 1)!, isInInbox: false);
        return turn;
    }
}
