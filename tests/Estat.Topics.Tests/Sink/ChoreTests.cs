// Making and dropping partitions of days fails, and messages are stored all the same.
using Estat.Topics.Tests.Postgres;
using Microsoft.Extensions.Logging;

namespace Estat.Topics.Tests.Sink;

public sealed class ChoreTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    // 53200 no locks left, 53100 disk full: with both Npgsql gives the connection up.
    [Theory]
    [InlineData("DROP TABLE", "53200")]
    [InlineData("CREATE TABLE", "53100")]
    public async Task A_chore_that_breaks_the_connection_stops_nothing_and_is_told(string command, string state)
    {
        var clock = new ShiftedTime();
        await using var rig = await SinkRig.PreparedAsync(
            postgres.Server, Topic, $"""
            CREATE TABLE fault (state text); INSERT INTO fault VALUES ('{state}');
            CREATE FUNCTION fail() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (SELECT FROM fault) THEN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END IF; END $$;
            CREATE EVENT TRIGGER fail ON ddl_command_start WHEN TAG IN ('{command}') EXECUTE FUNCTION fail()
            """,
            null, null);
        await rig.StopAsync();
        rig.Time = clock;
        rig.Options = rig.Options with { Keep = TimeSpan.FromDays(30) };
        await rig.QueryAsync($"""
            DELETE FROM fault; CREATE TABLE messages_d20200101 PARTITION OF messages FOR VALUES FROM ('2020-01-01') TO ('2020-01-02');
            INSERT INTO fault VALUES ('{state}')
            """);
        rig.Log.Time = clock.GetUtcNow().AddDays(-3).ToUnixTimeMilliseconds();
        Fill(rig, 10);
        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 10);
        Assert.Contains(state, rig.Sink.ChoreFault, StringComparison.Ordinal);
        Assert.Contains(rig.Lines.Of(LogLevel.Warning), line => line.Contains("Partitions of days", StringComparison.Ordinal));

        await rig.QueryAsync("DELETE FROM fault");
        clock.Ahead = TimeSpan.FromHours(2);
        Fill(rig, 1);
        await rig.DrainAsync();
        await Wait.UntilAsync(() => rig.Sink.ChoreFault is null, SinkRig.Limit, "the chores to be done", () => rig.Sink.ChoreFault!);
        Assert.Equal("0", await rig.QueryAsync("SELECT count(*) FROM pg_class WHERE relname = 'messages_d20200101'"));
    }

    // As where the DEFAULT partition is large, and all of it is searched for rows of the new day.
    [Fact]
    public async Task A_day_whose_partition_takes_long_to_be_made_is_stored_without()
    {
        await using var rig = await SinkRig.PreparedAsync(
            postgres.Server, Topic, """
            CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(100); END $$;
            CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION slow()
            """,
            null, null);
        rig.Log.Time = DateTimeOffset.UtcNow.AddDays(-3).ToUnixTimeMilliseconds();
        Fill(rig, 10);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 10);
        Assert.Equal("messages_default", await rig.QueryAsync("SELECT DISTINCT tableoid::regclass FROM messages"));
        Assert.Contains("57014", rig.Sink.ChoreFault, StringComparison.Ordinal);
        Assert.Equal(0, rig.Sink.Counters.Retries.Value);
    }

    private static void Fill(SinkRig rig, int messages)
    {
        for (var index = 0; index < messages; index++)
        {
            rig.Log.Add(Topic, "k", "1");
        }
    }

    // Its clock may be set, and its timers are real.
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
