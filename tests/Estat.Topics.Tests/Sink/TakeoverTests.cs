// How a sink takes partitions over from a session that is still there.
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

public sealed class TakeoverTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    [Fact]
    public async Task A_log_that_is_slow_to_answer_keeps_nobody_from_the_rows()
    {
        await using var rig = await StoppedAsync("SELECT 1");
        var gate = new TaskCompletionSource();
        rig.Log.Gate = gate.Task;
        rig.Start();
        await Wait.UntilAsync(() => rig.Log.Readings > 0, SinkRig.Limit, "the sink to ask the log", () => rig.Sink.State.ToString());
        Assert.Equal("10", await rig.QueryAsync("SELECT next_offset FROM consumer_offsets FOR UPDATE NOWAIT"));
        gate.SetResult();
        await rig.DrainAsync();
    }

    [Fact]
    public async Task A_role_that_may_not_end_the_old_session_says_so()
    {
        await using var rig = await StoppedAsync("""
            DROP ROLE IF EXISTS sink_successor; CREATE ROLE sink_successor LOGIN PASSWORD 'w';
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sink_successor;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO sink_successor
            """);
        await using (var old = await rig.ConnectAsync())
        {
            await using var hold = new NpgsqlCommand(
                "SET application_name = 'estat-sink/main/1'; BEGIN; SELECT FROM consumer_offsets FOR UPDATE".Replace("main", rig.Options.SinkName,
                    StringComparison.Ordinal), old);
            await hold.ExecuteNonQueryAsync();
            rig.Alter = address => (address.Username, address.Password) = ("sink_successor", "w");
            rig.Start();
            await Wait.UntilAsync(
                () => rig.Sink.State.Why?.Contains("42501", StringComparison.Ordinal) == true, SinkRig.Limit, "the sink to say so",
                () => rig.Sink.State.ToString());
            Assert.Contains("may not end it", rig.Sink.State.Why, StringComparison.Ordinal);
            Assert.Equal(SinkActivity.Waiting, rig.Sink.State.Activity);
        }

        await rig.DrainAsync();
    }

    // It has stored 10 messages.
    private async Task<SinkRig> StoppedAsync(string sql)
    {
        var rig = await SinkRig.PreparedAsync(postgres.Server, Topic, sql, null, null);
        for (var index = 0; index < 10; index++)
        {
            rig.Log.Add(Topic, "k", "1");
        }

        await rig.DrainAsync();
        await rig.StopAsync();
        return rig;
    }
}
