// What goes wrong around the sink, and what it must not make of it.
using System.Globalization;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

public sealed class SinkTroubleTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    [Fact]
    public async Task With_kafka_a_sink_that_was_taken_over_asks_for_partitions_anew()
    {
        await using var rig = await PreparedAsync("SELECT 1", options: options => options with { Log = LogKind.Kafka });
        var newer = rig.New();
        await rig.DrainAsync(newer);
        await newer.DisposeAsync();
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 10);
        Assert.Equal(10, rig.Sink.Counters.Messages.Value);
        Assert.Contains("gives partitions away", Assert.Single(rig.Lines.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Empty(rig.Lines.Of(LogLevel.Error));
    }

    [Fact]
    public async Task The_state_says_that_the_log_cannot_be_read()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        rig.Log.Fail(new TopicLogException("damaged"));
        await rig.UntilAsync(SinkActivity.Waiting);
        Assert.Equal("the log: damaged", rig.Sink.State.Why);
        Assert.Empty(rig.Lines.Of(LogLevel.Warning));
    }

    [Fact]
    public async Task What_the_log_deleted_before_it_was_stored_is_counted_once()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.StopAsync();
        Fill(rig, 5);
        rig.Log.Expire(Topic, 0, 15);
        foreach (var expired in new[] { 5, 0 })
        {
            rig.Start();
            await rig.DrainAsync();
            await Wait.UntilAsync(
                async () => await rig.QueryAsync("SELECT next_offset, high_offset FROM consumer_offsets") == "15|15", SinkRig.Limit,
                "the sink to go past them");
            await rig.StopAsync();
            Assert.Equal(expired, rig.Sink.Counters.Expired.Value);
        }

        rig.Start();
        Fill(rig, 1);
        await Wait.UntilAsync(async () => await rig.QueryAsync("SELECT count(*) FROM messages") == "11", SinkRig.Limit, "the next one to be stored");
    }

    [Fact]
    public async Task Embedded_a_sink_that_was_taken_over_stops_also_behind_an_error_of_its_feed()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        await using var newer = rig.New();
        await rig.DrainAsync(newer);
        var epoch = await rig.QueryAsync("SELECT epoch FROM consumer_offsets");
        newer.Pause();
        await rig.UntilAsync(SinkActivity.Paused, newer);
        rig.Log.Fail(new TopicLogException("damaged"));
        rig.Sink.Resume();
        await rig.UntilAsync(SinkActivity.Stopped); // whichever it meets first, the log's error or the other's epoch
        rig.Log.Fail(null);
        Assert.Equal(epoch, await rig.QueryAsync("SELECT epoch FROM consumer_offsets"));
    }

    [Fact]
    public async Task A_sink_that_stopped_is_woken_by_nothing_but_resume()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        await using var newer = rig.New();
        await rig.DrainAsync(newer);
        var epoch = await rig.QueryAsync("SELECT epoch FROM consumer_offsets");
        Fill(rig, 10);
        await rig.UntilAsync(SinkActivity.Stopped);
        var sessions = await rig.QueryAsync("SELECT last_value FROM sink_epochs");
        rig.Sink.Look();
        rig.Sink.Pause();
        Assert.Equal(epoch, await rig.QueryAsync("SELECT epoch FROM consumer_offsets"));
        Assert.Equal(sessions, await rig.QueryAsync("SELECT last_value FROM sink_epochs"));
        Assert.Equal(SinkActivity.Stopped, rig.Sink.State.Activity);
        rig.Sink.Resume();
        await rig.UntilAsync(SinkActivity.Running);
        Assert.NotEqual(epoch, await rig.QueryAsync("SELECT epoch FROM consumer_offsets"));
    }

    [Fact]
    public async Task A_copied_log_that_was_filled_up_again_stops_the_sink()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.StopAsync();
        rig.Start();
        await rig.DrainAsync();
        await rig.StopAsync();
        rig.Log.Cut(Topic, 0, 6);
        Fill(rig, 10);
        rig.Start();
        await rig.UntilAsync(SinkActivity.Stopped);
        Assert.Contains("estat topics adopt", rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Equal("10", await rig.QueryAsync("SELECT count(*) FROM messages"));
        await using var source = NpgsqlDataSource.Create(rig.Address());
        await new SinkOffsets(source, rig.Log, rig.Options).AdoptAsync(default);
        rig.Sink.Resume();
        await rig.DrainAsync();
        Assert.Equal("20", await rig.QueryAsync("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task A_reset_holds_nothing_that_is_before_the_dead_letter()
    {
        await using var rig = await PreparedAsync("SELECT 1", options: options => options with { Order = DeadLetterOrder.HoldKey });
        for (var index = 0; index < 8; index++)
        {
            rig.Log.Add(Topic, index is 3 or 5 ? "k" : $"other{index}", index == 5 ? "{" : "1");
        }

        await rig.DrainAsync();
        await rig.ResetAsync(Topic, 0);
        await Wait.UntilAsync(() => rig.Sink.Counters.Repeated.Value == 8, SinkRig.Limit, "the reset",
            () => $"{rig.Sink.Counters.Repeated.Value} {rig.QueryAsync("SELECT \"offset\", kind FROM dead_letters").Result}");
        Assert.Equal("5|message", await rig.QueryAsync("SELECT \"offset\", kind FROM dead_letters"));
        await rig.AssertStoredAsync(Topic, 7);
    }

    [Fact]
    public async Task Another_sink_name_reads_everything_and_stores_nothing_twice()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 50);
        await rig.DrainAsync();
        await rig.StopAsync();
        rig.Options = rig.Options with { SinkName = "second" };
        rig.Start();
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 60);
        Assert.Equal("", await rig.QueryAsync("SELECT reason FROM dead_letters"));
    }

    [Fact]
    public async Task Rows_that_an_operators_unique_constraint_refuses_are_not_said_to_be_there()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.QueryAsync(
            "DELETE FROM messages WHERE \"offset\" = 4; UPDATE messages SET key = 'taken' WHERE \"offset\" = 5;"
            + "CREATE UNIQUE INDEX mine ON messages (\"timestamp\", key, (\"offset\" / 1000)) WHERE key = 'taken'; "
            + "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.\"offset\" = 4 THEN NEW.key = 'taken'; "
            + "NEW.\"timestamp\" = NEW.\"timestamp\" + interval '1 ms'; END IF; RETURN NEW; END $$; "
            + "CREATE TRIGGER same BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION same()");
        await rig.ResetAsync(Topic, 0);
        await Wait.UntilAsync(() => rig.Sink.Counters.Repeated.Value == 9, SinkRig.Limit, "the reset",
            () => $"{rig.Sink.State} {rig.Sink.Counters.Repeated.Value}");
        Assert.Equal("4|message|refused", await rig.QueryAsync("SELECT \"offset\", kind, reason FROM dead_letters"));
    }

    private static void Fill(SinkRig rig, int messages)
    {
        for (var index = 0; index < messages; index++)
        {
            rig.Log.Add(Topic, "k", string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{index}}}"""));
        }
    }

    private Task<SinkRig> PreparedAsync(string sql, int? port = null, Func<TopicsOptions, TopicsOptions>? options = null) =>
        SinkRig.PreparedAsync(postgres.Server, Topic, sql, port, options);
}
