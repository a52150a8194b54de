// Each message once, in order, whatever happens to the connection, the database and the sink.
using System.Globalization;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

public sealed class ExactlyOnceTests(SharedPostgres postgres)
{
    private const string Topic = "orders";
    private const string Gate = "SELECT pg_advisory_lock(42)";
    private const string OpenGate = "SELECT pg_advisory_unlock(42)";
    private const string WaitsAtGate = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted";

    // A transaction waits here, in its COPY, for as long as a test holds the lock.
    private const string GateInCopy = """
        CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
        CREATE TRIGGER gate AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION gate()
        """;

    // A transaction waits here within COMMIT.
    private const string GateInCommit = """
        CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR UPDATE ON topic_status DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate()
        """;

    [Fact]
    public async Task A_session_that_is_killed_in_a_transaction_stores_its_batch_once()
    {
        await using var rig = await PreparedAsync(GateInCopy);
        await using var other = await rig.ConnectAsync();
        await RunAsync(other, Gate);
        Fill(rig, 100);
        await UntilAtGateAsync(rig);
        // Those of this test: others have a database of the same server.
        await rig.QueryAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'estat-sink/%' AND datname = current_database()");
        await RunAsync(other, OpenGate);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 100);
        Assert.True(rig.Sink.Counters.Retries.Value > 0);
    }

    // The network breaks while the server commits: the client sees the same as when nothing was committed.
    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_not_repeated()
    {
        using var proxy = FaultProxy.Start(postgres.Server.Port);
        await using var rig = await PreparedAsync(GateInCommit, proxy.Port);
        await using var other = await rig.ConnectAsync();
        await RunAsync(other, Gate);
        Fill(rig, 100);
        await UntilAtGateAsync(rig);
        proxy.Fault = Fault.Refuse;
        Fill(rig, 100);
        await RunAsync(other, OpenGate);
        await Wait.UntilAsync(
            async () => await rig.QueryAsync("SELECT count(*) FROM messages") == "100", SinkRig.Limit, "the server to commit without its client");
        await rig.UntilAsync(SinkActivity.Waiting);
        proxy.Fault = Fault.None;
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 200);
        await AssertOrderAsync(rig, 200);
        Assert.Equal("", await rig.QueryAsync("SELECT reason FROM dead_letters"));
        Assert.Equal(0, rig.Sink.Counters.Repeated.Value);
    }

    // The first COMMIT of a session is its takeover's. Its epoch is in the rows, and the sink must know it for its own.
    [Fact]
    public async Task A_takeover_whose_answer_is_lost_is_not_taken_for_another_sinks()
    {
        using var proxy = FaultProxy.Start(postgres.Server.Port);
        await using var rig = await PreparedAsync("SELECT 1", proxy.Port);
        for (int round = 1; round <= 3; round++)
        {
            int struck = proxy.Struck;
            proxy.Fault = Fault.LoseAnswerTo("COMMIT", 1).ForNext(round);
            Fill(rig, 10);
            await rig.DrainAsync();
            await Wait.UntilAsync(() => proxy.Struck == struck + round, SinkRig.Limit, "the answers to be lost");
            await rig.AssertStoredAsync(Topic, 10 * round);
        }

        await AssertOrderAsync(rig, 30);
    }

    // The old session still has its transaction open, and nobody will ever end it: the sink's own successor ends it after TOPICS_TAKEOVER.
    [Fact]
    public async Task A_transaction_that_was_left_open_is_ended_by_the_takeover()
    {
        using var proxy = FaultProxy.Start(postgres.Server.Port);
        await using var rig = await PreparedAsync(GateInCopy, proxy.Port);
        await using var other = await rig.ConnectAsync();
        await RunAsync(other, Gate);
        Fill(rig, 100);
        await UntilAtGateAsync(rig);
        const string AtGate = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE 'COPY%'";
        var old = await rig.QueryAsync(AtGate);
        proxy.Fault = Fault.None;
        await Wait.UntilAsync(
            async () => await rig.QueryAsync(AtGate) is { Length: > 0 } pid && pid != old,
            TimeSpan.FromSeconds(25), // statement_timeout would end it after 60 s
            "the old session to be gone, and another one at the gate");
        await RunAsync(other, OpenGate);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 100);
    }

    // In its batch the older one stands still; the newer one takes over and stores; then the older one goes on.
    [Fact]
    public async Task A_sink_that_was_taken_over_in_a_batch_stores_nothing_more_and_stops()
    {
        await using var rig = await PreparedAsync(GateInCopy);
        await using var other = await rig.ConnectAsync();
        await RunAsync(other, Gate);
        Fill(rig, 100);
        await UntilAtGateAsync(rig);
        await using var newer = rig.New();
        await rig.UntilAsync(SinkActivity.Running, newer);
        await RunAsync(other, OpenGate);
        await rig.DrainAsync(newer);
        await rig.UntilAsync(SinkActivity.Stopped);
        Fill(rig, 50);
        await rig.DrainAsync(newer);
        await rig.AssertStoredAsync(Topic, 150);
        await AssertOrderAsync(rig, 150);
        Assert.Equal(0, rig.Sink.Counters.Messages.Value);
        Assert.Contains("another node has taken over", rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Single(rig.Lines.Of(Microsoft.Extensions.Logging.LogLevel.Critical));
    }

    [Fact]
    public async Task An_idle_sink_that_was_taken_over_stops_at_its_next_batch()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        var epoch = await rig.QueryAsync("SELECT epoch FROM consumer_offsets");
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        await using var newer = rig.New();
        await rig.DrainAsync(newer);
        Assert.NotEqual(epoch, await rig.QueryAsync("SELECT epoch FROM consumer_offsets"));
        rig.Sink.Resume();
        Fill(rig, 10);
        await rig.UntilAsync(SinkActivity.Stopped);
        await rig.DrainAsync(newer);
        await rig.AssertStoredAsync(Topic, 20);
        Assert.Equal(10, rig.Sink.Counters.Messages.Value);
    }

    [Fact]
    public async Task A_database_that_is_away_at_the_start_and_in_the_middle_costs_nothing()
    {
        Assert.SkipUnless(PostgresServer.Available(out var reason), reason);
        await using var server = await PostgresServer.StartAsync();
        await using var rig = await SinkRig.CreateAsync(server, new MemoryLog().Topic(Topic, 2));
        rig.Options = rig.Options with { Batch = 7 };
        await server.StopAsync();
        Fill(rig, 200);
        rig.Start();
        await rig.UntilAsync(SinkActivity.Waiting);
        await Wait.UntilAsync(() => rig.Lines.Of(Microsoft.Extensions.Logging.LogLevel.Warning).Length > 0, SinkRig.Limit, "the sink to say so");
        await server.StartAgainAsync();
        await Wait.UntilAsync(() => rig.Sink.Counters.Messages.Value > 20, SinkRig.Limit, "some to be stored");
        await server.KillAsync();
        await rig.UntilAsync(SinkActivity.Waiting);
        Fill(rig, 100, partition: 1);
        await server.StartAgainAsync();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 300);
        Assert.Equal("", await rig.QueryAsync("SELECT reason FROM dead_letters"));
    }

    [Fact]
    public async Task A_sink_that_is_stopped_and_started_goes_on_where_it_was()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        rig.Options = rig.Options with { Batch = 3 };
        for (var round = 0; round < 5; round++)
        {
            Fill(rig, 50);
            await Wait.UntilAsync(() => rig.Sink.Counters.Messages.Value > 0, SinkRig.Limit, "some to be stored");
            await rig.StopAsync();
            rig.Start();
        }

        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 250);
        await AssertOrderAsync(rig, 250);
        Assert.Equal(250, rig.Log.Stored[new(Topic, 0)]);
    }

    // Seen by a reader, in one statement: all up to an offset, the one up to which the sink says that it is.
    [Fact]
    public async Task No_message_is_seen_before_the_one_in_front_of_it()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        await rig.StopAsync();
        rig.Options = rig.Options with { Batch = 7 };
        rig.Start();
        await using var reader = await rig.ConnectAsync();
        await using var look = new NpgsqlCommand(
            "SELECT coalesce(bool_and(rows = last + 1 AND rows = next_offset), true), coalesce(sum(rows), 0)::int FROM consumer_offsets LEFT JOIN "
            + "(SELECT \"partition\", count(*) AS rows, max(\"offset\") AS last FROM messages GROUP BY 1) AS seen USING (\"partition\")",
            reader);
        var seen = new HashSet<int>();
        for (var round = 0; !seen.Contains(1400); round++)
        {
            Fill(rig, round < 200 ? 7 : 0);
            await using var answer = await look.ExecuteReaderAsync();
            await answer.ReadAsync();
            seen.Add(answer.GetInt32(1));
            Assert.True(answer.GetBoolean(0), $"after {answer.GetInt32(1)} rows something is seen before its time");
        }

        Assert.True(seen.Count > 5, $"only {string.Join(", ", seen)} rows were seen");
    }

    // 40P01 deadlock, 53100 disk full, 57P03 no connections now, XX001 damaged.
    [Theory]
    [InlineData("40P01")]
    [InlineData("53100")]
    [InlineData("55P03")]
    [InlineData("57P03")]
    [InlineData("XX001")]
    public async Task What_is_no_fault_of_a_message_is_tried_until_it_is_over(string state)
    {
        await using var rig = await PreparedAsync($"""
            CREATE TABLE fault (state text); INSERT INTO fault VALUES ('{state}');
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (SELECT FROM fault) THEN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()
            """);
        Fill(rig, 20);
        await Wait.UntilAsync(() => rig.Sink.Counters.Retries.Value >= 4, SinkRig.Limit, "some attempts");
        Assert.StartsWith("the database: ", rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Contains(state, rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Null(rig.Sink.Pinned);
        Assert.Single(rig.Lines.Of(Microsoft.Extensions.Logging.LogLevel.Warning));
        await rig.QueryAsync("DELETE FROM fault");
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 20);
        Assert.Equal("", await rig.QueryAsync("SELECT reason FROM dead_letters"));
    }

    [Fact]
    public async Task An_error_of_one_message_is_pinned_to_it_and_the_operator_may_give_it_up()
    {
        await using var rig = await PreparedAsync("""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW."offset" = 13 THEN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()
            """);
        rig.Sink.Pause();
        await rig.UntilAsync(SinkActivity.Paused);
        Fill(rig, 20);
        rig.Sink.Resume();
        await Wait.UntilAsync(() => rig.Sink.Pinned is not null, SinkRig.Limit, "the message to be found",
            () => $"{rig.Sink.State} {rig.Sink.Counters.Retries.Value} {string.Join('\n', rig.Lines.Lines)}");
        Assert.Equal(new(Topic, 0, 13), rig.Sink.Pinned!.At);
        Assert.Equal("0", await rig.QueryAsync("SELECT count(*) FROM dead_letters"));
        Assert.False(rig.Sink.GiveUp(new(Topic, 0, 12)));
        Assert.True(rig.Sink.GiveUp(new(Topic, 0, 13)));
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 19);
        Assert.Equal("13|message|given-up", await rig.QueryAsync("SELECT \"offset\", kind, reason FROM dead_letters"));
        Assert.Null(rig.Sink.Pinned);
    }

    [Fact]
    public async Task Another_log_and_one_that_has_lost_messages_stop_the_sink_until_they_are_adopted()
    {
        await using var rig = await PreparedAsync("SELECT 1");
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.StopAsync();
        rig.Log.Cut(Topic, 0, 6);
        rig.Start();
        await rig.UntilAsync(SinkActivity.Stopped);
        Assert.Contains("estat topics adopt", rig.Sink.State.Why, StringComparison.Ordinal);
        await using var source = NpgsqlDataSource.Create(rig.Address());
        await new SinkOffsets(source, rig.Log, rig.Options).AdoptAsync(default);
        Fill(rig, 4); // where the lost ones were
        rig.Sink.Resume();
        await rig.DrainAsync();
        await rig.StopAsync();
        Assert.Equal("14", await rig.QueryAsync("SELECT count(*) FROM messages"));
        Assert.Equal("14", await rig.QueryAsync("SELECT message_count FROM topic_status"));

        rig.Log.Id = "log-2";
        rig.Start();
        await rig.UntilAsync(SinkActivity.Stopped);
        Assert.Contains("log-1", rig.Sink.State.Why, StringComparison.Ordinal);
        Assert.Contains("log-2", rig.Sink.State.Why, StringComparison.Ordinal);
        Fill(rig, 1);
        Assert.Equal("14", await rig.QueryAsync("SELECT count(*) FROM messages"));
        await new SinkOffsets(source, rig.Log, rig.Options).AdoptAsync(default);
        rig.Sink.Resume();
        await rig.DrainAsync();
        Assert.Equal("15", await rig.QueryAsync("SELECT count(*) FROM messages"));
    }

    private static void Fill(SinkRig rig, int messages, int partition = 0)
    {
        for (var index = 0; index < messages; index++)
        {
            rig.Log.Add(Topic, "k", string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{index}}}"""), partition);
        }
    }

    private Task<SinkRig> PreparedAsync(string sql, int? port = null) => SinkRig.PreparedAsync(postgres.Server, Topic, sql, port, null);

    private static async Task AssertOrderAsync(SinkRig rig, int messages) => Assert.Equal(
        $"{messages - 1}|0|{messages}",
        await rig.QueryAsync(
            "SELECT max(\"offset\"), min(\"offset\"), (SELECT next_offset FROM consumer_offsets WHERE \"partition\" = 0) FROM messages"));

    private static Task UntilAtGateAsync(SinkRig rig) => Wait.UntilAsync(
        async () => await rig.QueryAsync(WaitsAtGate) == "1", SinkRig.Limit, "the transaction to be at the gate",
        () => $"{rig.Sink.State}\n{string.Join('\n', rig.Lines.Lines)}");

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
