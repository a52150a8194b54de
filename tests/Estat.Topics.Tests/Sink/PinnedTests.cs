// A sink that cannot get past one message: what the operator and other nodes may do meanwhile.
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;

namespace Estat.Topics.Tests.Sink;

public sealed class PinnedTests(SharedPostgres postgres)
{
    private const string Topic = "orders";
    private static readonly MessagePosition Bad = new(Topic, 0, 13);

    [Fact]
    public async Task A_pinned_sink_says_so_again_after_a_pause()
    {
        await using var rig = await PinnedAsync();
        Assert.Contains(Bad.ToString(), rig.Sink.State.Why, StringComparison.Ordinal);
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        rig.Sink.Resume();
        await rig.UntilAsync(SinkActivity.Waiting);
        Assert.StartsWith("the database: ", rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Contains(Bad.ToString(), rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Equal(Bad, rig.Sink.Pinned?.At);
    }

    [Fact]
    public async Task A_pinned_sink_goes_on_where_a_reset_sends_it()
    {
        await using var rig = await PinnedAsync();
        await rig.ResetAsync(Topic, 14);
        await rig.DrainAsync();
        Assert.Null(rig.Sink.Pinned);
        Assert.Equal("14,15,16,17,18,19", await rig.QueryAsync("SELECT string_agg(\"offset\"::text, ',' ORDER BY \"offset\") FROM messages"));
    }

    [Fact]
    public async Task A_pinned_sink_that_was_taken_over_stops()
    {
        await using var rig = await PinnedAsync();
        await using var newer = rig.New();
        await Wait.UntilAsync(() => newer.Pinned is not null, SinkRig.Limit, "the newer one to be pinned", () => newer.State.ToString());
        rig.Sink.Look();
        await rig.UntilAsync(SinkActivity.Stopped);
        Assert.Null(rig.Sink.Pinned);
    }

    [Fact]
    public async Task A_message_that_was_given_up_stays_so_over_a_reset()
    {
        await using var rig = await PinnedAsync(batch: 5);
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        Assert.True(rig.Sink.GiveUp(Bad));
        await rig.ResetAsync(Topic, 0);
        rig.Sink.Resume();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 19);
        Assert.Equal("13|given-up", await rig.QueryAsync("SELECT \"offset\", reason FROM dead_letters"));
    }

    private async Task<SinkRig> PinnedAsync(int batch = 5_000)
    {
        var rig = await SinkRig.PreparedAsync(
            postgres.Server, Topic, """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW."offset" = 13 THEN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()
            """,
            null, options => options with { Batch = batch });
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        for (var index = 0; index < 20; index++)
        {
            rig.Log.Add(Topic, "k", "1");
        }

        rig.Sink.Resume();
        await Wait.UntilAsync(() => rig.Sink.Pinned?.At == Bad && rig.Sink.State.Activity == SinkActivity.Waiting, SinkRig.Limit,
            "the message to be found", () => $"{rig.Sink.State} {rig.Sink.Pinned}");
        return rig;
    }
}
