// The operator's pages of topics, on a real server and a real PostgreSQL; every answer is held against /openapi.json.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Estat.Tests.Support;
using Estat.Topics.Tests.Postgres;

namespace Estat.Topics.Tests.Http;

public sealed class AdminTopicsTests(SharedPostgres postgres) : IAsyncLifetime
{
    private TopicsServer _server = null!;
    private ContractJudge _contract = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TopicsServer.StartAsync(postgres.Server);
        _contract = new ContractJudge(JsonNode.Parse(await _server.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative)))!);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_topic_is_made_grows_and_is_kept_for_as_long_as_the_operator_says()
    {
        JsonElement made = await PutAsync("orders", """{"partitions":2,"retention":"72h"}""", 201);
        Assert.Equal((2, "72h", false), (made.GetProperty("partitionCount").GetInt32(), made.GetProperty("retention").GetString(),
            made.GetProperty("retentionIsDefault").GetBoolean()));
        await PutAsync("orders", """{"partitions":2,"retention":"72h"}""", 200);
        await _server.ProduceManyAsync("orders", 20);

        JsonElement grown = await PutAsync("orders", """{"partitions":4}""", 200);
        JsonElement cut = grown.GetProperty("cuts")[0];
        Assert.Equal((4, "72h", 4), (grown.GetProperty("partitionCount").GetInt32(), grown.GetProperty("retention").GetString(),
            cut.GetProperty("partitions").GetInt32()));
        Assert.Equal(20, cut.GetProperty("offsets").EnumerateArray().Sum(offset => long.Parse(offset.GetString()!)));
        Assert.Contains("4 partitions", (await PutAsync("orders", """{"partitions":3}""", 409)).GetProperty("detail").GetString());
        Assert.True((await PutAsync("orders", """{"retention":null}""", 200)).GetProperty("retentionIsDefault").GetBoolean());
        Assert.Equal(3, (await PutAsync("plain", null, 201)).GetProperty("partitionCount").GetInt32());

        await _server.StopAsync();
        await _server.StartAgainAsync();
        JsonElement after = await AskAsync(HttpMethod.Get, "/admin/topics/orders");
        Assert.Equal((4, 1), (after.GetProperty("partitionCount").GetInt32(), after.GetProperty("cuts").GetArrayLength()));
    }

    [Fact]
    public async Task What_cannot_be_meant_is_400_and_makes_no_topic()
    {
        foreach ((string name, string body, string why) in new[]
        {
            ("metric", "{}", "path of its own"),
            ("user-activity", "{}", "path of its own"),
            ("a%20b", "{}", "A name has"),
            ("..%2F..", "{}", "A name has"),
            ("t", """{"partitions":0}""", "partitions must be"),
            ("t", """{"partitions":1001}""", "partitions must be"),
            ("t", """{"partitions":1.5}""", "partitions must be"),
            ("t", """{"retention":"1s"}""", "retention must be"),
            ("t", """{"retention":7}""", "retention must be a text"),
            ("t", """{"retenton":"72h"}""", "There is no \\u0022retenton\\u0022|There is no \"retenton\""),
            ("t", "[]", "must be a JSON object"),
            ("t", "{", "not valid JSON"),
            ("t", "{\"retention\":\"\\ud800\"}", "UTF-8|not valid JSON"),
        })
        {
            string detail = (await PutAsync(name, body, 400)).GetProperty("detail").GetString()!;
            Assert.Contains(why.Split('|'), part => detail.Contains(part, StringComparison.Ordinal));
        }

        Assert.Equal(4, (await AskAsync(HttpMethod.Get, "/admin/topics")).GetProperty("topics").GetArrayLength());
    }

    [Fact]
    public async Task A_reset_says_first_what_it_would_do_and_doubles_nothing()
    {
        await PutAsync("orders", """{"partitions":2}""", 201);
        await _server.ProduceManyAsync("orders", 100);
        await _server.UntilDrainedAsync();

        JsonElement plan = await OrderAsync("/admin/topics/orders/reset", """{"to":"beginning"}""");
        Assert.Equal((true, 100, 0), (plan.GetProperty("dryRun").GetBoolean(), plan.GetProperty("again").GetInt64(),
            plan.GetProperty("skipped").GetInt64()));
        Assert.Equal("0", await LagAsync("orders"));

        await OrderAsync("/admin/sink/pause");
        JsonElement done = await OrderAsync("/admin/topics/orders/reset", """{"to":"beginning","dryRun":false}""");
        Assert.Equal((false, 100), (done.GetProperty("dryRun").GetBoolean(), done.GetProperty("again").GetInt64()));
        Assert.Equal("100", await _server.QueryAsync("SELECT sum(high_offset - next_offset) FROM consumer_offsets WHERE topic = 'orders'"));
        Assert.Equal("running", (await OrderAsync("/admin/sink/resume")).GetProperty("sink").GetProperty("state").GetString());
        await Wait.UntilAsync(
            async () => await _server.QueryAsync("SELECT sum(high_offset - next_offset) FROM consumer_offsets WHERE topic = 'orders'") == "0",
            TopicsServer.Limit, "the sink to read again", () => "");
        Assert.Equal("100|100", await _server.QueryAsync("SELECT count(*), count(DISTINCT id) FROM messages WHERE topic = 'orders'"));

        JsonElement one = await OrderAsync("/admin/topics/orders/reset", """{"to":"3","partition":1}""");
        Assert.Equal(("3", 1), (one.GetProperty("partitions")[0].GetProperty("target").GetString(), one.GetProperty("partitions").GetArrayLength()));
        Assert.Equal(0, (await OrderAsync("/admin/topics/orders/reset", """{"to":"2100-01-01T00:00:00Z"}""")).GetProperty("again").GetInt64());
        Assert.Equal(100, (await OrderAsync("/admin/topics/orders/reset", """{"to":"2020-01-01"}""")).GetProperty("again").GetInt64());
        foreach (string wrong in new[] { "{}", """{"to":"3"}""", """{"to":-1,"partition":0}""", """{"to":"soon"}""", """{"to":0,"partition":2}""",
            """{"to":"end","dryRun":1}""" })
        {
            await OrderAsync("/admin/topics/orders/reset", wrong, 400);
        }

        await OrderAsync("/admin/topics/none/reset", """{"to":"end"}""", 404);
    }

    [Fact]
    public async Task What_was_produced_while_the_sink_was_paused_can_be_skipped()
    {
        await PutAsync("orders", """{"partitions":1}""", 201);
        await _server.ProduceManyAsync("orders", 1);
        await _server.UntilDrainedAsync();
        Assert.Equal("paused", (await OrderAsync("/admin/sink/pause")).GetProperty("sink").GetProperty("state").GetString());
        await _server.ProduceManyAsync("orders", 10, first: 1);
        Assert.Equal("10", await LagAsync("orders"));
        Assert.Equal(10, (await OrderAsync("/admin/topics/orders/reset", """{"to":"end","dryRun":false}""")).GetProperty("skipped").GetInt64());
        await OrderAsync("/admin/sink/resume");
        await _server.ProduceManyAsync("orders", 1, first: 11);
        await _server.UntilDrainedAsync();
        Assert.Equal("0,11", await _server.QueryAsync(
            "SELECT string_agg(value->>'n', ',' ORDER BY \"offset\") FROM messages WHERE topic = 'orders'"));
    }

    [Fact]
    public async Task Dead_letters_are_listed_shown_mended_replayed_and_discarded()
    {
        await PutAsync("orders", null, 201);
        await BreakAsync(3);
        await _server.ProduceAsync("user-activities", """{"key":"u1","value":{"action":"login"}}""");
        await _server.UntilDrainedAsync();

        JsonElement page = await AskAsync(HttpMethod.Get, "/admin/dead-letters?limit=3");
        Assert.Equal(3, page.GetProperty("deadLetters").GetArrayLength());
        JsonElement rest = await AskAsync(HttpMethod.Get, $"/admin/dead-letters?limit=3&cursor={page.GetProperty("cursor").GetString()}");
        Assert.Equal(1, rest.GetProperty("deadLetters").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("cursor").ValueKind);
        JsonElement typed = (await AskAsync(HttpMethod.Get, "/admin/dead-letters?kind=typed")).GetProperty("deadLetters")[0];
        Assert.Equal(("user-activities", "missing", "u1"), (typed.GetProperty("topic").GetString(), typed.GetProperty("reason").GetString(),
            typed.GetProperty("key").GetString()));
        Assert.Equal(3, (await AskAsync(HttpMethod.Get, "/admin/dead-letters?topic=orders&reason=nul")).GetProperty("deadLetters").GetArrayLength());

        long number = await NumberAsync("orders");
        JsonElement letter = (await AskAsync(HttpMethod.Get, $"/admin/dead-letters/{number}")).GetProperty("deadLetter");
        Assert.Equal("""{"text":"\u0000","n":2}""", letter.GetProperty("value").GetString());
        Assert.Equal(letter.GetProperty("value").GetString(), Encoding.UTF8.GetString(letter.GetProperty("valueBase64").GetBytesFromBase64()));

        Assert.Contains("nul", (await OrderAsync($"/admin/dead-letters/{number}/replay", "{}", 409)).GetProperty("detail").GetString());
        await OrderAsync($"/admin/dead-letters/{number}/replay", """{"value":{"n":2,"text":"mended"}}""");
        await OrderAsync($"/admin/dead-letters/{number}/replay", """{"value":{"n":2,"text":"mended"}}""");
        Assert.Equal("mended", await _server.QueryAsync("SELECT value->>'text' FROM messages WHERE topic = 'orders'"));
        await OrderAsync($"/admin/dead-letters/{number}/discard", status: 409);

        JsonElement dry = await OrderAsync("/admin/dead-letters/discard", """{"topic":"orders","kind":"message"}""");
        Assert.Equal((true, 2, 0), (dry.GetProperty("dryRun").GetBoolean(), dry.GetProperty("found").GetInt32(), dry.GetProperty("done").GetInt32()));
        JsonElement refused = await OrderAsync("/admin/dead-letters/replay", """{"topic":"orders","dryRun":false}""");
        Assert.Equal((0, 2), (refused.GetProperty("done").GetInt32(), refused.GetProperty("refused").GetArrayLength()));
        JsonElement first = await OrderAsync("/admin/dead-letters/discard", """{"topic":"orders","limit":1,"dryRun":false}""");
        Assert.Equal(1, first.GetProperty("done").GetInt32());
        JsonElement second = await OrderAsync(
            "/admin/dead-letters/discard",
            $$"""{"topic":"orders","limit":1,"dryRun":false,"cursor":"{{first.GetProperty("cursor").GetString()}}"}""");
        Assert.Equal(1, second.GetProperty("done").GetInt32());
        Assert.Equal(0, (await AskAsync(HttpMethod.Get, "/admin/dead-letters?topic=orders")).GetProperty("deadLetters").GetArrayLength());
        Assert.Equal(2, (await AskAsync(HttpMethod.Get, "/admin/dead-letters?topic=orders&state=discarded")).GetProperty(
            "deadLetters").GetArrayLength());
        Assert.Equal(4, (await AskAsync(HttpMethod.Get, "/admin/dead-letters?state=all")).GetProperty("deadLetters").GetArrayLength());
    }

    [Fact]
    public async Task Wrong_orders_name_what_is_wrong_and_other_methods_are_405()
    {
        await _server.UntilDrainedAsync();
        await AskAsync(HttpMethod.Get, "/admin/dead-letters?kind=bad", 400);
        await AskAsync(HttpMethod.Get, "/admin/dead-letters?limit=0", 400);
        await AskAsync(HttpMethod.Get, "/admin/dead-letters/1", 404);
        await AskAsync(HttpMethod.Get, "/admin/dead-letters/x", 404);
        await AskAsync(HttpMethod.Get, "/admin/topics/none", 404);
        await AskAsync(HttpMethod.Get, "/admin/topics/a/b", 404);
        await AskAsync(HttpMethod.Get, "/admin/sink/pause", 405);
        await OrderAsync("/admin/dead-letters/replay", """{"kind":"bad"}""", 400);
        await OrderAsync("/admin/dead-letters/replay", """{"limit":2000}""", 400);
        await OrderAsync("/admin/dead-letters/replay", """{"topic":"a\u0000"}""", 400);
        await OrderAsync("/admin/dead-letters/7/replay", "{}", 404);
        await OrderAsync("/admin/dead-letters/7/discard", "{}", 404);
        await OrderAsync("/admin/dead-letters/7/replay", $$"""{"value":"{{new string('x', 1 << 21)}}"}""", 413);
        await OrderAsync("/admin/sink/give-up", """{"topic":"a","partition":0,"offset":"1"}""", 409);
        await OrderAsync("/admin/sink/give-up", "{}", 400);
        Assert.Equal(0, (await OrderAsync("/admin/sink/adopt")).GetProperty("partitions").GetArrayLength());
    }

    [Fact]
    public async Task Held_messages_go_with_the_dead_letter_before_them()
    {
        await using TopicsServer holding = await TopicsServer.StartAsync(postgres.Server, ("TOPICS_ORDER", "hold-key"));
        await holding.ProduceAsync("notifications", """{"messages":[{"key":"a","value":"\u0000"},{"key":"a","value":2},{"key":"b","value":3}]}""");
        await holding.UntilDrainedAsync();
        JsonElement letters = (await holding.OrderAsync(HttpMethod.Get, "/admin/dead-letters")).Body.GetProperty("deadLetters");
        Assert.Equal(["held", "message"], letters.EnumerateArray().Select(letter => letter.GetProperty("kind").GetString()));
        (int status, JsonElement behind) = await holding.OrderAsync(
            HttpMethod.Post, $"/admin/dead-letters/{letters[0].GetProperty("number").GetInt64()}/replay");
        Assert.Equal((409, true), (status, behind.GetProperty("detail").GetString()!.Contains("waits behind", StringComparison.Ordinal)));
        JsonElement done = (await holding.OrderAsync(
            HttpMethod.Post, $"/admin/dead-letters/{letters[1].GetProperty("number").GetInt64()}/replay", """{"value":1}""")).Body;
        Assert.Equal(1, done.GetProperty("released").GetInt64());
        Assert.Equal("1,2", await holding.QueryAsync("SELECT string_agg(value::text, ',' ORDER BY \"offset\") FROM messages WHERE key = 'a'"));
    }

    [Fact]
    public async Task While_the_database_is_away_the_log_is_shown_and_orders_get_503()
    {
        await using TopicsServer alone = await TopicsServer.StartAsync();
        await alone.ProduceManyAsync("notifications", 10);
        await alone.UntilDrainedAsync();
        await Wait.UntilAsync(
            async () => (await PlacesAsync(alone)).GetValueOrDefault("stored") == 10, TopicsServer.Limit, "the ledger to be read", () => "");
        await alone.Postgres.StopAsync();
        await alone.ProduceManyAsync("notifications", 10, first: 10);
        JsonElement seen = default;
        await Wait.UntilAsync(
            async () => (seen = await alone.LookAsync()).GetProperty("sink").GetProperty("state").GetString() == "waiting", TopicsServer.Limit,
            "the sink to wait", () => seen.ToString());
        Assert.Equal("away", seen.GetProperty("database").GetProperty("state").GetString());
        Assert.NotEmpty(seen.GetProperty("database").GetProperty("why").GetString()!);
        JsonElement topic = seen.GetProperty("topics").EnumerateArray().Single(one => one.GetProperty("topicName").GetString() == "notifications");
        Assert.Equal((10, JsonValueKind.Null), (topic.GetProperty("lag").GetInt64(), topic.GetProperty("messageCount").ValueKind));
        foreach ((HttpMethod method, string path, string? body) in new[]
        {
            (HttpMethod.Get, "/admin/dead-letters", null), (HttpMethod.Post, "/admin/dead-letters/1/replay", null),
            (HttpMethod.Post, "/admin/dead-letters/discard", null), (HttpMethod.Post, "/admin/topics/notifications/reset", """{"to":"end"}"""),
            (HttpMethod.Post, "/admin/sink/adopt", null),
        })
        {
            (int status, JsonElement problem) = await alone.OrderAsync(method, path, body);
            Assert.Equal((path, 503), (path, status));
            Assert.Contains("database", problem.GetProperty("detail").GetString());
        }

        (int made, _) = await alone.OrderAsync(HttpMethod.Put, "/admin/topics/more");
        Assert.Equal(201, made);
        Assert.Equal(20, await PlaceAsync(alone, "produced"));
        Assert.Equal(10, await PlaceAsync(alone, "waiting"));
        await alone.Postgres.StartAgainAsync();
        await alone.UntilDrainedAsync();
        Assert.Equal("20", await alone.QueryAsync("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task Another_log_is_adopted_on_the_operator_s_word_alone()
    {
        await using TopicsServer first = await TopicsServer.StartAsync(postgres.Server);
        await first.ProduceManyAsync("notifications", 5);
        await first.UntilDrainedAsync();
        await first.StopAsync();
        Directory.Delete(first.LogDir, recursive: true);
        await first.LaunchAgainAsync();
        JsonElement sink = default;
        await Wait.UntilAsync(
            async () => (sink = (await first.LookAsync()).GetProperty("sink")).GetProperty("state").GetString() == "stopped", TopicsServer.Limit,
            "the sink to stop", () => sink.ToString());
        Assert.Contains("estat topics adopt", sink.GetProperty("why").GetString());
        (int status, JsonElement refused) = await first.OrderAsync(HttpMethod.Post, "/admin/topics/notifications/reset", """{"to":"end"}""");
        Assert.Equal((409, true), (status, refused.GetProperty("detail").GetString()!.Contains("stopped", StringComparison.Ordinal)));
        JsonElement adopted = (await first.OrderAsync(HttpMethod.Post, "/admin/sink/adopt")).Body;
        Assert.Equal(12, adopted.GetProperty("partitions").GetArrayLength());
        await first.ProduceManyAsync("notifications", 3);
        await first.UntilDrainedAsync();
    }

    [Fact]
    public async Task Adopting_a_log_that_the_database_knows_resumes_no_sink_that_stopped_for_another_reason()
    {
        await _server.ProduceManyAsync("notifications", 5);
        await _server.UntilDrainedAsync();
        await _server.QueryAsync("UPDATE consumer_offsets SET epoch = epoch + 1");
        await _server.ProduceManyAsync("notifications", 5, first: 5);
        JsonElement sink = default;
        await Wait.UntilAsync(
            async () => (sink = (await _server.LookAsync()).GetProperty("sink")).GetProperty("state").GetString() == "stopped", TopicsServer.Limit,
            "the sink to notice that it was taken over", () => sink.ToString());
        Assert.Equal(0, (await OrderAsync("/admin/sink/adopt")).GetProperty("partitions").GetArrayLength());
        for (int look = 0; look < 50; look++)
        {
            Assert.Equal(sink.ToString(), (await _server.LookAsync()).GetProperty("sink").ToString());
        }

        await OrderAsync("/admin/sink/resume");
        await _server.UntilDrainedAsync();
    }

    [Fact]
    public async Task Before_Kafka_has_said_which_cluster_it_is_everything_else_is_shown()
    {
        await using TopicsServer server = await TopicsServer.LaunchAsync(
            postgres.Server, ("TOPICS_LOG", "kafka"), ("KAFKA_BOOTSTRAP_SERVERS", $"127.0.0.1:{FreePort.Next()}"));
        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri("/admin/topics", UriKind.Relative));
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        _contract.Judge("GET", "/admin/topics", answer, text);
        using var json = JsonDocument.Parse(text);
        JsonElement log = json.RootElement.GetProperty("log");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.String), (log.GetProperty("id").ValueKind, log.GetProperty("fault").ValueKind));
    }

    [Fact]
    public async Task What_no_repetition_changes_is_409_and_not_503()
    {
        await PutAsync("orders", """{"partitions":1}""", 201);
        for (int partitions = 2; partitions <= 101; partitions++)
        {
            await PutAsync("orders", $$"""{"partitions":{{partitions}}}""", 200);
        }

        JsonElement refused = await PutAsync("orders", """{"partitions":102}""", 409);
        Assert.Contains("was given more partitions 100 times", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_one_scrape_everything_that_was_produced_is_somewhere()
    {
        await PutAsync("orders", null, 201);
        await _server.ProduceManyAsync("orders", 50);
        await BreakAsync(4);
        await _server.UntilDrainedAsync();
        await OrderAsync($"/admin/dead-letters/{await NumberAsync("orders")}/discard");
        await OrderAsync("/admin/sink/pause");
        await _server.ProduceManyAsync("orders", 20);

        Dictionary<string, double> places = [];
        await Wait.UntilAsync(
            async () => (places = await PlacesAsync(_server)).GetValueOrDefault("discarded") == 1, TopicsServer.Limit, "the ledger to be read",
            () => string.Join(", ", places));
        Assert.Equal(places["produced"], places.Where(place => place.Key != "produced").Sum(place => place.Value));
        Assert.Equal((74, 50, 20, 3, 0, 1),
            (places["produced"], places["stored"], places["waiting"], places["dead_letters"], places["held"], places["discarded"]));
        string page = await _server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Contains(page.Split('\n'), line => line.EndsWith(" 3", StringComparison.Ordinal)
            && Has(line, "estat_topics_dead_letters_open{", "topic=\"orders\"", "kind=\"message\""));
    }

    private static bool Has(string line, params IEnumerable<string> parts) => parts.All(part => line.Contains(part, StringComparison.Ordinal));

    private static async Task<double> PlaceAsync(TopicsServer server, string place) => (await PlacesAsync(server))[place];

    private static async Task<Dictionary<string, double>> PlacesAsync(TopicsServer server)
    {
        string page = await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        return page.Split('\n').Where(line => line.StartsWith("estat_topics_messages{", StringComparison.Ordinal)).ToDictionary(
            line => line.Split("place=\"")[1].Split('"')[0],
            line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    // NUL is what PostgreSQL's text cannot hold.
    private Task BreakAsync(int messages) => _server.ProduceAsync(
        "orders",
        string.Join('\n', Enumerable.Range(0, messages).Select(
            number => $$$"""{"key":"bad{{{number}}}","value":{"text":"\u0000","n":{{{number}}}}}""")),
        "application/x-ndjson");

    private async Task<long> NumberAsync(string topic) =>
        (await AskAsync(HttpMethod.Get, $"/admin/dead-letters?topic={topic}")).GetProperty("deadLetters").EnumerateArray()
        .OrderByDescending(letter => letter.GetProperty("key").GetString() == "bad2").First().GetProperty("number").GetInt64();

    private async Task<string> LagAsync(string topic) =>
        (await AskAsync(HttpMethod.Get, $"/admin/topics/{topic}")).GetProperty("lag").ToString();

    private Task<JsonElement> PutAsync(string topic, string? body, int status) => AskAsync(HttpMethod.Put, $"/admin/topics/{topic}", status, body);

    private Task<JsonElement> OrderAsync(string path, string? body = null, int status = 200) => AskAsync(HttpMethod.Post, path, status, body);

    private async Task<JsonElement> AskAsync(HttpMethod method, string path, int status = 200, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Headers = { { "X-Estat-Admin", "1" } } };
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await _server.Client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{method} {path}: {(int)answer.StatusCode} {text}");
        _contract.Judge(method.Method, path.Split('?')[0], answer, text);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }
}
