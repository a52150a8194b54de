// What the operator does with dead letters, and what is held behind them.
using System.Globalization;
using System.Text;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

public sealed class DeadLetterTests(SharedPostgres postgres)
{
    private const string Topic = "orders";
    private const string Bad = """{"a":"\u0000"}""";
    private const string Offsets = "SELECT string_agg(\"offset\"::text, ',' ORDER BY \"partition\", \"offset\") FROM messages";

    private const string Letters =
        "SELECT string_agg(\"offset\" || ':' || kind || ':' || state, ',' ORDER BY \"partition\", \"offset\", kind) FROM dead_letters";

    [Fact]
    public async Task A_dead_letter_is_listed_shown_mended_and_replayed_at_its_position()
    {
        await using var rig = await StartAsync(DeadLetterOrder.GoOn);
        rig.Log.Add(Topic, "k", "1");
        var at = rig.Log.Add(Topic, "k", Encoding.UTF8.GetBytes(Bad), headers: [new("h", "v"u8.ToArray()), new("h", null)]);
        rig.Log.Add(Topic, "k", "3");
        await rig.DrainAsync();
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);

        var listed = Assert.Single(await letters.ListAsync(new(), 10, default));
        Assert.Equal((at, DeadLetterKind.Message, RefusalCode.Nul, "open"), (listed.At, listed.Kind, listed.Why.Code, listed.State));
        Assert.Null(listed.Content.Value);
        Assert.Empty(await letters.ListAsync(new(Topic: "other"), 10, default));
        Assert.Empty(await letters.ListAsync(new(Below: listed.Number), 10, default));
        var shown = (await letters.FindAsync(listed.Number, default))!;
        Assert.Equal(Bad, Encoding.UTF8.GetString(shown.Content.Value!));
        Assert.Equal(["h", "h"], shown.Message(null).Headers.Select(header => header.Name));
        Assert.Null(shown.Message(null).Headers[1].Value);

        Assert.Equal(DeadLetterOutcome.Refused, (await letters.ReplayAsync(listed.Number, null, default)).Outcome);
        Assert.Equal(DeadLetterOutcome.NotFound, (await letters.ReplayAsync(999, null, default)).Outcome);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => letters.ReplayAsync(listed.Number, """{"a":2}"""u8.ToArray(), default)));
        Assert.Equal(1, answers.Count(answer => answer.Outcome == DeadLetterOutcome.Replayed));
        Assert.Equal(5, answers.Count(answer => answer.Outcome == DeadLetterOutcome.WasReplayed));
        Assert.Equal(DeadLetterOutcome.WasReplayed, (await letters.DiscardAsync(listed.Number, default)).Outcome);
        Assert.Equal("""k|{"a": 2}|{"h": ["v", null]}|t""", await rig.QueryAsync(
            "SELECT key, value, headers, timestamp = (SELECT timestamp FROM dead_letters) FROM messages WHERE \"offset\" = 1"));
        Assert.Equal("1:message:replayed", await rig.QueryAsync(Letters));
        await rig.AssertStoredAsync(Topic, 3);
    }

    [Fact]
    public async Task Only_the_typed_row_of_a_typed_dead_letter_is_replayed()
    {
        const string Metrics = BuiltInTopic.SystemMetrics;
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey, Metrics);
        rig.Log.Add(Metrics, "m", """{"metricName":"m"}""");
        rig.Log.Add(Metrics, "m", """{"metricName":"m","value":2}""");
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Metrics, 2);
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        var number = (await letters.ListAsync(new(), 10, default))[0].Number;
        Assert.Equal(RefusalCode.Missing, (await letters.ReplayAsync(number, null, default)).Why!.Code);
        var mended = await letters.ReplayAsync(number, """{"metricName":"m","value":1}"""u8.ToArray(), default);
        Assert.Equal(DeadLetterOutcome.Replayed, mended.Outcome);
        Assert.Equal("1,2", await rig.QueryAsync("SELECT string_agg(value::text, ',' ORDER BY value) FROM system_metrics"));
        Assert.Equal("2|2", await rig.QueryAsync("SELECT message_count, typed_count FROM topic_status"));
        Assert.Equal("""{"metricName": "m"}""", await rig.QueryAsync("SELECT value FROM messages WHERE \"offset\" = 0"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Later_messages_of_a_key_are_held_over_restarts_until_the_dead_letter_is_resolved(bool isReplayed)
    {
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey, partitions: 2);
        rig.Log.Add(Topic, "a", "0");
        rig.Log.Add(Topic, "a", Bad);         // 1
        rig.Log.Add(Topic, "a", "2");         // in the very batch
        rig.Log.Add(Topic, "b", "3");
        rig.Log.Add(Topic, null, Bad);        // 4: holds nothing
        rig.Log.Add(Topic, null, "5");
        await rig.DrainAsync();
        await rig.StopAsync();
        rig.Log.Add(Topic, "a", "6");
        rig.Log.Add(Topic, "a", "7", partition: 1); // 0 of the other one: the key is held in the topic
        rig.Start();
        await rig.DrainAsync();
        Assert.Equal("0,3,5", await rig.QueryAsync(Offsets));
        Assert.Equal("1:message:open,2:held:open,4:message:open,6:held:open,0:held:open", await rig.QueryAsync(Letters));

        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        var open = await letters.ListAsync(new(Kind: DeadLetterKind.Held), 10, default);
        Assert.Equal(DeadLetterOutcome.Behind, (await letters.ReplayAsync(open[0].Number, null, default)).Outcome);
        var number = (await letters.ListAsync(new(Kind: DeadLetterKind.Message), 10, default)).Single(letter => letter.At.Offset == 1).Number;
        var result = isReplayed ? await letters.ReplayAsync(number, "1"u8.ToArray(), default) : await letters.DiscardAsync(number, default);
        Assert.Equal((isReplayed ? DeadLetterOutcome.Replayed : DeadLetterOutcome.Discarded, 3), (result.Outcome, result.Released));
        rig.Log.Add(Topic, "a", "8");
        await rig.DrainAsync();
        Assert.Equal(isReplayed ? "0,1,2,3,5,6,7,0" : "0,2,3,5,6,7,0", await rig.QueryAsync(Offsets));
        await rig.AssertStoredAsync(Topic, isReplayed ? 8 : 7);
        var state = isReplayed ? "replayed" : "discarded";
        Assert.Equal($"1:message:{state},2:held:replayed,4:message:open,6:held:replayed,0:held:replayed", await rig.QueryAsync(Letters));
    }

    [Fact]
    public async Task What_is_held_is_let_go_up_to_the_next_one_that_cannot_be_stored()
    {
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey);
        await rig.QueryAsync("ALTER TABLE messages ADD CONSTRAINT good CHECK (value <> '\"refused\"')");
        foreach (var value in new[] { "\"refused\"", "1", "2", Bad, "4", "\"refused\"", "6" })
        {
            rig.Log.Add(Topic, "a", value);
        }

        await rig.DrainAsync();
        Assert.Equal("", await rig.QueryAsync(Offsets));
        Assert.Equal(
            "0:message:open,1:held:open,2:held:open,3:held:open,4:held:open,5:held:open,6:held:open", await rig.QueryAsync(Letters));
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        foreach (var (released, stored) in new[] { (2, "1,2"), (1, "1,2,4"), (1, "1,2,4,6") })
        {
            var number = Assert.Single(await letters.ListAsync(new(Kind: DeadLetterKind.Message), 10, default)).Number;
            Assert.Equal(released, (await letters.DiscardAsync(number, default)).Released);
            Assert.Equal(stored, await rig.QueryAsync(Offsets));
        }

        await rig.AssertStoredAsync(Topic, 4);
    }

    [Fact]
    public async Task What_a_rule_refuses_at_the_commit_is_refused_to_a_replay_as_well()
    {
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey);
        await rig.QueryAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.value = '"bad"' THEN RAISE EXCEPTION 'bad' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
            """);
        foreach (var value in new[] { "\"bad\"", "1", "\"bad\"", "3" })
        {
            rig.Log.Add(Topic, "a", value);
        }

        await rig.DrainAsync();
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        var number = Assert.Single(await letters.ListAsync(new(Kind: DeadLetterKind.Message), 10, default)).Number;
        Assert.Equal(RefusalCode.Refused, (await letters.ReplayAsync(number, null, default)).Why?.Code);
        var mended = await letters.ReplayAsync(number, "0"u8.ToArray(), default);
        Assert.Equal((DeadLetterOutcome.Replayed, 1), (mended.Outcome, mended.Released));
        Assert.Equal("0,1", await rig.QueryAsync(Offsets));
        Assert.Equal("0:message:replayed,1:held:replayed,2:message:open,3:held:open", await rig.QueryAsync(Letters));
    }

    [Fact]
    public async Task Many_that_are_held_are_let_go_in_portions_and_in_their_order()
    {
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey);
        for (var index = 0; index <= 1500; index++)
        {
            rig.Log.Add(Topic, "a", index == 0 ? Bad : index.ToString(CultureInfo.InvariantCulture));
        }

        await rig.DrainAsync();
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        var number = Assert.Single(await letters.ListAsync(new(Kind: DeadLetterKind.Message), 10, default)).Number;
        Assert.Equal(1500, (await letters.DiscardAsync(number, default)).Released);
        Assert.Equal(
            "1001:1-1001,499:1002-1500",
            await rig.QueryAsync(
                "SELECT string_agg(rows || ':' || first || '-' || last, ',' ORDER BY first) FROM (SELECT count(*) AS rows, min(\"offset\") AS first, "
                + "max(\"offset\") AS last FROM messages GROUP BY xmin::text) AS transactions"));
        await rig.AssertStoredAsync(Topic, 1500);
    }

    [Fact]
    public async Task Replays_and_the_sink_do_not_lose_or_pass_each_other()
    {
        await using var rig = await StartAsync(DeadLetterOrder.HoldKey);
        rig.Options = rig.Options with { Batch = 5 };
        await rig.StopAsync();
        rig.Start();
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var letters = New(rig, source);
        var filling = Task.Run(() =>
        {
            for (var index = 0; index < 600; index++)
            {
                rig.Log.Add(Topic, $"k{index % 3}", index % 20 == 7 ? Bad : index.ToString(CultureInfo.InvariantCulture));
            }
        });
        await Wait.UntilAsync(
            async () =>
            {
                foreach (var letter in await letters.ListAsync(new(Kind: DeadLetterKind.Message), 10, default))
                {
                    await letters.ReplayAsync(letter.Number, "true"u8.ToArray(), default);
                }

                return filling.IsCompleted && rig.Sink.Progress.Count == 1 && rig.Sink.Progress.All(part => part.Lag == 0)
                    && (await letters.ListAsync(new(State: "open"), 1, default)).Count == 0;
            },
            SinkRig.Limit,
            "all dead letters to be replayed",
            () => rig.QueryAsync(Letters).Result);
        await rig.AssertStoredAsync(Topic, 600);
    }

    [Fact]
    public async Task A_reset_reads_again_without_doubles_or_new_dead_letters()
    {
        const string Metrics = BuiltInTopic.SystemMetrics;
        await using var rig = await StartAsync(DeadLetterOrder.GoOn, Metrics);
        for (var index = 0; index < 100; index++)
        {
            rig.Log.Add(Metrics, "m", index == 20 ? Bad : index == 30 ? "{}" : """{"metricName":"m","value":1}""");
        }

        await rig.DrainAsync();
        await rig.QueryAsync("DELETE FROM messages WHERE \"offset\" = 50; UPDATE topic_status SET message_count = message_count - 1");
        await using var source = NpgsqlDataSource.Create(rig.Address());
        var offsets = new SinkOffsets(source, rig.Log, rig.Options);
        var plan = await offsets.PlanAsync(Metrics, (_, _) => new(10), default);
        Assert.Equal((90, 0), (Assert.Single(plan).Again, plan[0].PassedOver));
        Assert.Equal("100", await rig.QueryAsync("SELECT next_offset FROM consumer_offsets"));
        await offsets.ResetAsync(plan, default);
        rig.Log.Add(Metrics, "m", """{"metricName":"m","value":1}""");
        await Wait.UntilAsync(
            async () => await rig.QueryAsync("SELECT next_offset FROM consumer_offsets") == "101" && rig.Sink.Counters.Repeated.Value == 89,
            SinkRig.Limit,
            "everything to be read again",
            () => $"{rig.Sink.Counters.Repeated.Value} {rig.QueryAsync("SELECT next_offset FROM consumer_offsets").Result}");
        await rig.AssertStoredAsync(Metrics, 100);
        Assert.Equal("99|99", await rig.QueryAsync("SELECT count(*), (SELECT typed_count FROM topic_status) FROM system_metrics"));
        Assert.Equal("20:message:open,30:typed:open", await rig.QueryAsync(Letters));
    }

    [Fact]
    public async Task Days_are_dropped_and_a_reset_does_not_make_them_again()
    {
        await using var rig = await StartAsync(DeadLetterOrder.GoOn);
        var now = DateTimeOffset.UtcNow;
        foreach (var days in new[] { 10, 5, 1, 0 })
        {
            rig.Log.Time = now.AddDays(-days).ToUnixTimeMilliseconds();
            rig.Log.Add(Topic, "k", days.ToString(CultureInfo.InvariantCulture));
        }

        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 4);
        await rig.StopAsync();
        rig.Options = rig.Options with { Keep = TimeSpan.FromDays(3) };
        rig.Start();
        await rig.DrainAsync();
        Assert.Equal("2,3", await rig.QueryAsync(Offsets));
        await rig.ResetAsync(Topic, 0);
        await Wait.UntilAsync(() => rig.Sink.Counters.Dropped.Value == 2 && rig.Sink.Counters.Repeated.Value == 2, SinkRig.Limit, "the reset");
        Assert.Equal("2,3", await rig.QueryAsync(Offsets));
        Assert.Equal("4", await rig.QueryAsync("SELECT message_count FROM topic_status"));
        Assert.Equal(
            "",
            await rig.QueryAsync(
                $"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_d20' AND right(relname, 8) < '{now.AddDays(-3):yyyyMMdd}'"));
    }

    private static DeadLetters New(SinkRig rig, NpgsqlDataSource source) => new(source, rig.Log, rig.Options, TimeProvider.System);

    private async Task<SinkRig> StartAsync(DeadLetterOrder order, string topic = Topic, int partitions = 1)
    {
        var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(topic, partitions));
        rig.Options = rig.Options with { Order = order };
        rig.Start();
        await rig.DrainAsync();
        return rig;
    }
}
