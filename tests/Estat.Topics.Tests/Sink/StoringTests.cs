// What the sink makes of good and bad messages.
using System.Globalization;
using System.Text;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;

namespace Estat.Topics.Tests.Sink;

public sealed class StoringTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    [Fact]
    public async Task Messages_are_stored_as_they_are_in_the_log()
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic, 3));
        rig.Log.Add(
            Topic, "k\u00e9", Encoding.UTF8.GetBytes("""{"a": [1, "\ud83d\ude00", null], "b": 1.50}"""), partition: 2,
            headers: [new("n", "v"u8.ToArray()), new("twice", "1"u8.ToArray()), new("twice", null), new("bytes", new byte[] { 0xff })]);
        rig.Log.Add(Topic, null, (byte[]?)null, partition: 1);
        rig.Start();
        await rig.DrainAsync();

        Assert.Equal(
            """
            1|0|||
            2|0|ké|{"a": [1, "😀", null], "b": 1.50}|{"n": "v", "bytes": {"base64": "/w=="}, "twice": ["1", null]}
            """.ReplaceLineEndings("\n"),
            await rig.QueryAsync("SELECT \"partition\", \"offset\", key, value, headers FROM messages ORDER BY 1"));
        Assert.Equal(
            "2026-11-30 12:00:00+00|2026-11-30 12:00:00.001+00",
            await rig.QueryAsync("SET timezone = 'UTC'; SELECT min(\"timestamp\"), max(\"timestamp\") FROM messages"));
        Assert.Equal("3|1|2|0", await rig.QueryAsync("SELECT partition_count, replication_factor, message_count, typed_count FROM topic_status"));
        Assert.Equal("messages_d20261130", await rig.QueryAsync("SELECT DISTINCT tableoid::regclass FROM messages"));
        Assert.Equal(1, rig.Log.Stored[new(Topic, 2)]);
    }

    [Fact]
    public async Task Typed_topics_have_typed_rows_with_the_times_of_the_log()
    {
        await using var rig = await SinkRig.CreateAsync(
            postgres.Server, new MemoryLog().Topic(BuiltInTopic.UserActivities).Topic(BuiltInTopic.SystemMetrics).Topic(BuiltInTopic.ErrorLogs));
        rig.Log.Add(
            BuiltInTopic.UserActivities, "u",
            """{"userId":"u","action":"a\"b","resource":"r","metadata":{"x":[1]},"ipAddress":"::1","userAgent":null,"timestamp":"1999"}""");
        rig.Log.Add(BuiltInTopic.SystemMetrics, "m", """{"tags":{"h":"1"},"metricName":"cpu","value":1.5e2,"unit":"%"}""");
        rig.Log.Add(BuiltInTopic.ErrorLogs, "s", """{"service":"s","message":"boom","context":{}}""");
        rig.Start();
        await rig.DrainAsync();

        Assert.Equal(
            """u|a"b|r|{"x": [1]}|::1||t""",
            await rig.QueryAsync(
                "SELECT user_id, action, resource, metadata, ip_address, user_agent, t.timestamp = m.timestamp "
                + "FROM user_activities t JOIN messages m USING (id)"));
        Assert.Equal("""cpu|150|%|{"h": "1"}|t""", await rig.QueryAsync(
            "SELECT metric_name, t.value, unit, tags, t.timestamp = m.timestamp FROM system_metrics t JOIN messages m USING (id)"));
        Assert.Equal("s|Error|boom||{}|error|f|t", await rig.QueryAsync(
            "SELECT service, error_type, message, stack_trace, context, severity, resolved, t.timestamp = m.timestamp "
            + "FROM error_logs t JOIN messages m USING (id)"));
        Assert.Equal("1|1\n1|1\n1|1", await rig.QueryAsync("SELECT message_count, typed_count FROM topic_status"));
        Assert.Equal(3, rig.Sink.Counters.Typed.Value);
    }

    public static TheoryData<string, string> BadValues => new()
    {
        { RefusalCode.Nul, """{"a":"\u0000"}""" }, { RefusalCode.Nul, """{"a\u0000":1}""" },
        { RefusalCode.LoneSurrogate, """{"a":"\ud800x"}""" }, { RefusalCode.LoneSurrogate, """["\udc00"]""" },
        { RefusalCode.LoneSurrogate, """{"\ud800\ud800":1}""" },
        { RefusalCode.Number, """{"a":1e999999}""" }, { RefusalCode.Number, "-1E+131073" }, { RefusalCode.Number, "1e-16384" },
        { RefusalCode.TooDeep, new string('[', 65) + new string(']', 65) },
        { RefusalCode.NotJson, "{" }, { RefusalCode.NotJson, "" }, { RefusalCode.NotJson, "{} {}" }, { RefusalCode.NotJson, "\ufeff{}" },
    };

    [Theory]
    [MemberData(nameof(BadValues))]
    public Task One_bad_value_in_1000_is_a_dead_letter_and_the_others_are_stored(string reason, string value) =>
        OneBadAsync(reason, null, Encoding.UTF8.GetBytes(value));

    [Fact]
    public async Task One_value_or_key_that_is_no_text_in_1000_is_a_dead_letter()
    {
        await OneBadAsync(RefusalCode.NotUtf8, null, [(byte)'"', 0xff, (byte)'"']);
        await OneBadAsync(RefusalCode.NotUtf8, [0xc3, 0x28], "{}"u8.ToArray());
        await OneBadAsync(RefusalCode.Nul, [0], "{}"u8.ToArray());
    }

    // What stands at the edge of what is refused: PostgreSQL takes all of it.
    [Fact]
    public async Task What_is_just_allowed_is_stored()
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic));
        foreach (var value in new[]
        {
            new string('[', 64) + new string(']', 64), "1e131071", "-1e-16383", "0e131072", "0.0000001e131078",
            """{"":"\ud83d\ude00\\u0000"}""", "\"\\u0001\"",
            new string('9', 131072), "0." + new string('0', 16382) + "1", """{"a":1,"a":2}""",
        })
        {
            rig.Log.Add(Topic, new string('\u20ac', 100_000), value);
        }

        rig.Start();
        await rig.DrainAsync();
        Assert.Equal("", await rig.QueryAsync("SELECT \"offset\", reason, detail FROM dead_letters"));
        await rig.AssertStoredAsync(Topic, 10);
        Assert.Equal(0, rig.Sink.Counters.Bisections.Value);
    }

    [Theory]
    [InlineData(RefusalCode.WrongType, """{"metricName":"m","value":"5"}""", "value")]
    [InlineData(RefusalCode.Missing, """{"metricName":"m"}""", "value")]
    [InlineData(RefusalCode.Missing, """{"metricName":null,"value":1}""", "metricName")]
    [InlineData(RefusalCode.Number, """{"metricName":"m","value":1e400}""", "value")]
    [InlineData(RefusalCode.WrongType, "[]", "object")]
    public async Task One_wrong_typed_field_in_1000_costs_only_the_typed_row(string reason, string value, string named)
    {
        const string Metrics = BuiltInTopic.SystemMetrics;
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Metrics));
        for (var index = 0; index < 1000; index++)
        {
            rig.Log.Add(Metrics, "m", index == 500 ? value : """{"metricName":"m","value":1}""");
        }

        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Metrics, 1000);
        Assert.Equal("999", await rig.QueryAsync("SELECT count(*) FROM system_metrics"));
        Assert.Equal($"500|typed|{reason}|t", await rig.QueryAsync(
            $"SELECT \"offset\", kind, reason, strpos(detail, '{named}') > 0 FROM dead_letters"));
        Assert.Equal("999", await rig.QueryAsync("SELECT typed_count FROM topic_status"));
    }

    // A CHECK constraint is class 23 and has COPY's line; the trigger's error is class 22 and comes at the end, without a line.
    [Theory]
    [InlineData("ALTER TABLE messages ADD CONSTRAINT good CHECK (value->>'n' NOT IN ('17', '500', '501', '999'))")]
    [InlineData("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.value->>'n' IN ('17', '500', '501', '999') THEN RAISE EXCEPTION 'bad' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
        """)]
    public async Task What_the_database_refuses_is_found_and_the_rest_is_stored(string rule)
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic));
        rig.Start();
        await rig.DrainAsync();
        await rig.StopAsync();
        await rig.QueryAsync(rule);
        for (var index = 0; index < 1000; index++)
        {
            rig.Log.Add(Topic, $"k{index % 10}", $$"""{"n":"{{index}}"}""");
        }

        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 996);
        Assert.Equal(
            "17|message|refused\n500|message|refused\n501|message|refused\n999|message|refused",
            await rig.QueryAsync("SELECT \"offset\", kind, reason FROM dead_letters ORDER BY 1"));
        Assert.Equal("""k7|{"n":"17"}""", await rig.QueryAsync(
            "SELECT convert_from(key, 'UTF8'), convert_from(value, 'UTF8') FROM dead_letters WHERE \"offset\" = 17"));
        Assert.True(rig.Sink.Counters.Bisections.Value > 0);
    }

    [Fact]
    public async Task Times_and_headers_that_no_row_can_have_are_dead_letters()
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic));
        rig.Log.Add(Topic, "k", "1"u8.ToArray(), headers: [new("a\0", null)]);
        var time = rig.Log.Time;
        rig.Log.Time = -1;
        rig.Log.Add(Topic, "k", "2");
        rig.Log.Time = long.MaxValue / 2;
        rig.Log.Add(Topic, "k", "3");
        rig.Log.Time = time;
        rig.Log.Add(Topic, "k", "4");
        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 1);
        Assert.Equal("header,time,time", await rig.QueryAsync("SELECT string_agg(reason, ',' ORDER BY \"offset\") FROM dead_letters"));
    }

    [Fact]
    public async Task What_comes_while_a_batch_is_stored_goes_with_the_next_one()
    {
        await using var rig = await SinkRig.PreparedAsync(
            postgres.Server, Topic, """
            CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared(44); RETURN NULL; END $$;
            CREATE TRIGGER gate AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION gate()
            """, null, null);
        await using var other = await rig.ConnectAsync();
        await using var gate = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(44)", other);
        await gate.ExecuteNonQueryAsync();
        rig.Log.Add(Topic, "k", "1");
        const string WaitsAtGate = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 44 AND NOT granted";
        await Wait.UntilAsync(async () => await rig.QueryAsync(WaitsAtGate) == "1", SinkRig.Limit, "the first batch to be at the gate");
        for (var index = 0; index < 3; index++)
        {
            rig.Log.Add(Topic, "k", "2");
            await rig.QueryAsync(WaitsAtGate);
        }

        gate.CommandText = "SELECT pg_advisory_unlock(44)";
        await gate.ExecuteNonQueryAsync();
        await rig.DrainAsync();
        Assert.Equal(2, rig.Sink.Counters.Batches.Value);
        await rig.AssertStoredAsync(Topic, 4);
    }

    [Fact]
    public async Task Offsets_may_have_gaps()
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic));
        rig.Log.Add(Topic, "k", "1"u8.ToArray(), offset: 5);
        rig.Log.Add(Topic, "k", "2"u8.ToArray(), offset: 9);
        rig.Start();
        await rig.DrainAsync();
        rig.Log.Add(Topic, "k", "3"u8.ToArray(), offset: 90);
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 3);
        Assert.Equal("91|91", await rig.QueryAsync("SELECT next_offset, high_offset FROM consumer_offsets"));
    }

    private async Task OneBadAsync(string reason, byte[]? key, byte[] value)
    {
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog().Topic(Topic));
        rig.Options = rig.Options with { Batch = 300, Order = DeadLetterOrder.GoOn };
        for (var index = 0; index < 1000; index++)
        {
            if (index == 500)
            {
                rig.Log.Add(Topic, "k", value, headers: [new("h", "v"u8.ToArray())], rawKey: key);
            }
            else
            {
                rig.Log.Add(Topic, "k", string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{index}}}"""));
            }
        }

        rig.Start();
        await rig.DrainAsync();
        await rig.AssertStoredAsync(Topic, 999);
        Assert.Equal($"500|message|{reason}|open", await rig.QueryAsync("SELECT \"offset\", kind, reason, state FROM dead_letters"));
        Assert.Equal(Convert.ToHexStringLower(value), await rig.QueryAsync("SELECT encode(value, 'hex') FROM dead_letters"));
        Assert.Equal(0, rig.Sink.Counters.Bisections.Value);
        Assert.Equal(1, rig.Sink.Counters.Letters(DeadLetterKind.Message).Value);
    }
}
