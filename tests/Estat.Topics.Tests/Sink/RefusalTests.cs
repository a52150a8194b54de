// What the database refuses, or takes too long for, and what becomes of it.
using System.Globalization;
using System.Text;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

public sealed class RefusalTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    [Fact]
    public async Task Two_messages_that_fail_in_one_batch_are_both_pinned()
    {
        await using var rig = await PreparedAsync("""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW."offset" IN (7, 13) THEN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()
            """);
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        Fill(rig, 20);
        rig.Sink.Resume();
        foreach (var offset in new[] { 7, 13 })
        {
            await Wait.UntilAsync(() => rig.Sink.Pinned?.At.Offset == offset, SinkRig.Limit, "the message to be found",
                () => $"{rig.Sink.State} {rig.Sink.Pinned}");
            Assert.True(rig.Sink.GiveUp(new(Topic, 0, offset)));
        }

        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 18);
    }

    [Fact]
    public async Task A_batch_of_which_every_row_is_refused_waits_for_the_operator()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        await rig.QueryAsync("ALTER TABLE messages ADD CONSTRAINT nothing CHECK (topic <> 'orders')");
        await rig.StopAsync();
        Fill(rig, 150);
        rig.Start();
        await Wait.UntilAsync(() => rig.Sink.Counters.Retries.Value >= 2, SinkRig.Limit, "some attempts",
            () => $"{rig.Sink.State} {rig.QueryAsync("SELECT count(*) FROM dead_letters").Result}");
        Assert.Contains("nothing", rig.Sink.State.Why, StringComparison.Ordinal);
        await rig.StopAsync(); // in the middle of an attempt the rule would be gone for some rows only
        await rig.QueryAsync("ALTER TABLE messages DROP CONSTRAINT nothing");
        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 150);
        Assert.Equal("0", await rig.QueryAsync("SELECT count(*) FROM dead_letters"));
    }

    [Fact]
    public async Task The_addresss_command_timeout_does_not_end_a_batch()
    {
        await using var rig = await PreparedAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
            CREATE TRIGGER slow AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION slow()
            """);
        rig.Alter = address => address.CommandTimeout = 1;
        await rig.StopAsync();
        Fill(rig, 10);
        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 10);
        Assert.DoesNotContain("imeout", string.Join('\n', rig.Lines.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_that_takes_too_long_is_stored_in_parts()
    {
        await using var rig = await PreparedAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF (SELECT count(*) FROM added) > 30 THEN RAISE EXCEPTION 'too long' USING ERRCODE = '57014'; END IF; RETURN NULL; END $$;
            CREATE TRIGGER slow AFTER INSERT ON messages REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION slow()
            """);
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        Fill(rig, 200);
        rig.Sink.Resume();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 200);
        Assert.Equal("", await rig.QueryAsync("SELECT reason FROM dead_letters"));
    }

    [Fact]
    public async Task A_role_that_may_make_no_tables_stores_in_the_default_ones()
    {
        await using var rig = await PreparedAsync("""
            DROP ROLE IF EXISTS sink_writer; CREATE ROLE sink_writer LOGIN PASSWORD 'w';
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sink_writer;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO sink_writer
            """);
        await rig.StopAsync();
        rig.Alter = address => (address.Username, address.Password) = ("sink_writer", "w");
        rig.Log.Time = DateTimeOffset.UtcNow.AddDays(-3).ToUnixTimeMilliseconds();
        Fill(rig, 10);
        rig.Options = rig.Options with { Keep = TimeSpan.FromDays(30) };
        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 10);
        Assert.Equal("messages_default", await rig.QueryAsync("SELECT DISTINCT tableoid::regclass FROM messages"));
        Assert.Contains("42501", rig.Sink.ChoreFault, StringComparison.Ordinal);
        Assert.Contains("42501", Assert.Single(rig.Lines.Of(Microsoft.Extensions.Logging.LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_detail_is_cut_between_characters()
    {
        var cut = DeadLetterRows.Clean(new string('a', 999) + "\U0001f600 and more");
        Assert.Equal(999, cut.Length);
        Assert.Equal("a\ufffdb", DeadLetterRows.Clean("a\ud800b\0"));
        Assert.Equal(cut, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)));
    }

    [Fact]
    public async Task A_replay_does_not_make_a_dropped_day_again()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        var old = DateTimeOffset.UtcNow.AddDays(-10);
        rig.Log.Time = old.ToUnixTimeMilliseconds();
        rig.Log.Add(Topic, "k", "{");
        await rig.DrainAsync();
        await rig.QueryAsync("INSERT INTO dropped_days (before) VALUES (now() - interval '3 days')");
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = new DeadLetters(source, rig.Log, rig.Options, TimeProvider.System);
        var number = Assert.Single(await letters.ListAsync(new(), 10, default)).Number;
        Assert.Equal("dropped", (await letters.ReplayAsync(number, "1"u8.ToArray(), default)).Why!.Code);
        Assert.Equal("0", await rig.QueryAsync($"SELECT count(*) FROM pg_class WHERE relname = 'messages_d{old:yyyyMMdd}'"));
    }

    [Fact]
    public async Task What_is_held_is_not_passed_even_when_nothing_is_left_before_it()
    {
        await using var rig = await PreparedAsync("SELECT 1", options: options => options with { Order = DeadLetterOrder.HoldKey });
        rig.Log.Add(Topic, "k", "{");
        rig.Log.Add(Topic, "k", "1");
        await rig.DrainAsync();
        await rig.QueryAsync("UPDATE dead_letters SET state = 'discarded' WHERE kind = 'message'");
        rig.Log.Add(Topic, "k", "2");
        await rig.DrainAsync();
        Assert.Equal("0", await rig.QueryAsync("SELECT count(*) FROM messages"));
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = new DeadLetters(source, rig.Log, rig.Options, TimeProvider.System);
        var held = await letters.ListAsync(new(), 10, default);
        Assert.Equal(2, held.Count);
        Assert.Equal(DeadLetterOutcome.Behind, (await letters.ReplayAsync(held[0].Number, null, default)).Outcome);
        var first = await letters.ReplayAsync(held[1].Number, null, default);
        Assert.Equal((DeadLetterOutcome.Replayed, 1), (first.Outcome, first.Released));
        await rig.AssertStoredAsync(Topic, 2);
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
