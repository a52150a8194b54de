// `estat topics`, `estat produce` and `estat dead-letters` against a real server and a real PostgreSQL.
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;
using Estat.Tests.Support;

namespace Estat.Cli.Tests;

public sealed class TopicsTests(TopicsTests.Database database) : IClassFixture<TopicsTests.Database>, IAsyncLifetime
{
    private TopicsServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TopicsServer.StartAsync(database.Server);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_topic_is_made_altered_and_listed()
    {
        Assert.Contains("retention 72h", await DoAsync("topics", "create", "orders", "--partitions", "2", "--retention", "72h"),
            StringComparison.Ordinal);
        Assert.Contains("was there already", await DoAsync("topics", "create", "orders", "--partitions", "9"), StringComparison.Ordinal);
        string altered = await DoAsync("topics", "alter", "orders", "--partitions", "3", "--retention", "default");
        Assert.Contains("(TOPICS_RETENTION)", altered, StringComparison.Ordinal);
        Assert.Contains("3 partitions, behind offsets 0, 0", altered, StringComparison.Ordinal);
        (int code, string output) = await RunAsync("topics", "alter", "orders", "--partitions", "1");
        Assert.Equal((1, true), (code, output.Contains("can only become more", StringComparison.Ordinal)));
        Assert.Equal(1, (await RunAsync("topics", "alter", "none", "--partitions", "9")).Code);
        Assert.Equal(2, (await RunAsync("topics", "alter", "orders")).Code);

        string list = await DoAsync("topics", "list");
        Assert.Contains(list.Split('\n'), line => line.StartsWith("orders\t3\t0\t", StringComparison.Ordinal));
        Assert.Contains("5 topics; sink: estat, running", list, StringComparison.Ordinal);
        Assert.Equal(5, (await DoAsync("topics", "list", "--json")).Split('\n').Count(line => line.StartsWith('{')));
        Assert.Equal(3, Json(await DoAsync("topics", "show", "orders", "--json")).GetProperty("partitions").GetArrayLength());
        Assert.Contains("answers", await DoAsync("topics", "show"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_are_produced_in_order_with_their_keys()
    {
        await DoAsync("topics", "create", "orders");
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(
            folder["orders.ndjson"], string.Join('\n', Enumerable.Range(0, 2500).Select(n => $$"""{"id":{{n}},"customer":"c{{n % 5}}"}""")));
        string output = await DoAsync("produce", "orders", folder["orders.ndjson"], "--raw", "--key-field", "customer");
        Assert.Contains("2,500 messages produced", output, StringComparison.Ordinal);
        await _server.UntilDrainedAsync();
        Assert.Equal("2500|5|0", await _server.QueryAsync("""
            SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE id < before)
            FROM (SELECT key, (value->>'id')::int AS id,
                lag((value->>'id')::int) OVER (PARTITION BY key ORDER BY "offset") AS before FROM messages WHERE topic = 'orders') AS m
            """));

        await File.WriteAllTextAsync(folder["mixed.ndjson"],
            "{\"value\":1}\n\nnot json\n{\"value\":2,\"x\":3}\n{\"key\":\"k\",\"headers\":{\"h\":\"v\"},\"value\":3}\n");
        (int code, output) = await RunAsync("produce", "orders", folder["mixed.ndjson"]);
        Assert.Equal(1, code);
        Assert.Contains("line 3: is not valid JSON", output, StringComparison.Ordinal);
        Assert.Contains("line 4: has a member x", output, StringComparison.Ordinal);
        Assert.Contains("2 messages produced", output, StringComparison.Ordinal);
        Assert.Contains("2 lines rejected", output, StringComparison.Ordinal);
        JsonElement rest = Json(await DoAsync("produce", "orders", folder["mixed.ndjson"], "--from-line", "5", "--json"));
        Assert.Equal((1, 0, 5), (rest.GetProperty("produced").GetInt32(), rest.GetProperty("rejected").GetInt32(),
            rest.GetProperty("lines").GetInt32()));

        (code, output) = await RunAsync("produce", "none", folder["mixed.ndjson"]);
        Assert.Equal((1, true), (code, output.Contains("There is no topic of this name", StringComparison.Ordinal)));
        Assert.Equal(2, (await RunAsync("produce", "metric", folder["mixed.ndjson"])).Code);
        Assert.Equal(2, (await RunAsync("produce", "orders", folder["no-file"])).Code);
    }

    [Fact]
    public async Task A_lost_answer_doubles_nothing()
    {
        const int Messages = 3000;
        await DoAsync("topics", "create", "orders");
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["orders.ndjson"], string.Join('\n', Enumerable.Range(0, Messages)));
        using FaultProxy proxy = FaultProxy.Start(_server.Address.Port);
        proxy.Fault = Fault.DropResponse.ForNext(2);
        (int code, string output) = await EstatCommand.RunAsync(
            "produce", "orders", folder["orders.ndjson"], "--raw", "--messages", "500", "--url", proxy.Endpoint);
        Assert.Equal(0, code);
        Assert.Contains("2 retries", output, StringComparison.Ordinal);
        Assert.Equal(2, proxy.Struck);
        proxy.Fault = Fault.Portal;
        (code, output) = await EstatCommand.RunAsync("produce", "orders", folder["orders.ndjson"], "--raw", "--url", proxy.Endpoint);
        Assert.Equal((1, true), (code, output.Contains("not as Estat does", StringComparison.Ordinal)));
        await _server.UntilDrainedAsync();
        Assert.Equal($"{Messages}|{Messages}",
            await _server.QueryAsync("SELECT count(*), count(DISTINCT value) FROM messages WHERE topic = 'orders'"));
    }

    [Fact]
    public async Task Producing_goes_on_over_a_restart_of_the_node()
    {
        await DoAsync("topics", "create", "orders");
        await _server.StopAsync();
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["orders.ndjson"], string.Join('\n', Enumerable.Range(0, 100)));
        (int code, string output) = await RunAsync("produce", "orders", folder["orders.ndjson"], "--raw", "--patience", "1s");
        Assert.Equal((1, true), (code, output.Contains("(--patience)", StringComparison.Ordinal)));
        Assert.Contains("--from-line 1", output, StringComparison.Ordinal);

        Task<string> producing = DoAsync("produce", "orders", folder["orders.ndjson"], "--raw");
        await _server.StartAgainAsync();
        Assert.Contains("100 messages produced", await producing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sink_is_paused_reset_and_resumed()
    {
        await _server.ProduceManyAsync("notifications", 30);
        await _server.UntilDrainedAsync();
        string plan = await DoAsync("topics", "reset", "notifications", "--to", "beginning");
        Assert.Contains("30 messages would be read again, 0 passed over", plan, StringComparison.Ordinal);
        Assert.Contains("paused", await DoAsync("topics", "pause"), StringComparison.Ordinal);
        Assert.Contains("30 messages are read again", await DoAsync("topics", "reset", "notifications", "--to", "beginning", "--yes"),
            StringComparison.Ordinal);
        Assert.Contains("running", await DoAsync("topics", "resume"), StringComparison.Ordinal);
        await _server.UntilDrainedAsync();
        Assert.Equal("30", await _server.QueryAsync("SELECT count(*) FROM messages"));
        Assert.Contains("The database knows this log", await DoAsync("topics", "adopt", "--yes"), StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("topics", "adopt")).Code);
        (int code, string output) = await RunAsync("topics", "give-up", "--yes");
        Assert.Equal((1, true), (code, output.Contains("no message that the sink cannot get past", StringComparison.Ordinal)));
        Assert.Equal(1, (await RunAsync("topics", "reset", "notifications", "--to", "never")).Code);
    }

    [Fact]
    public async Task A_dead_letter_is_shown_mended_in_a_file_and_replayed()
    {
        await _server.ProduceAsync("notifications",
            string.Join('\n', Enumerable.Range(0, 3).Select(n => $$$"""{"key":"k{{{n}}}\u001b","value":{"n":{{{n}}},"t":"\u0000"}}""")),
            "application/x-ndjson");
        await _server.UntilDrainedAsync();
        string list = await DoAsync("dead-letters", "list");
        Assert.Contains("3 dead letters.", list, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', list);
        string number = list.Split('\n').First(line => line.Contains("k0", StringComparison.Ordinal)).Split('\t')[0];
        string value = await DoAsync("dead-letters", "show", number, "--value");
        Assert.Equal("""{"n":0,"t":"\u0000"}""", value.Trim());
        (int code, string output) = await RunAsync("dead-letters", "replay", number);
        Assert.Equal((1, true), (code, output.Contains("cannot be stored like this (nul)", StringComparison.Ordinal)));

        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["v.json"], value.Replace("\\u0000", "mended", StringComparison.Ordinal));
        Assert.Contains("replayed", await DoAsync("dead-letters", "replay", number, "--value", folder["v.json"]), StringComparison.Ordinal);
        Assert.Equal("mended", await _server.QueryAsync("SELECT value->>'t' FROM messages"));

        Assert.Contains("2 dead letters would be discarded", await DoAsync("dead-letters", "discard", "--all", "--topic", "notifications"),
            StringComparison.Ordinal);
        (code, output) = await RunAsync("dead-letters", "replay", "--all", "--reason", "nul", "--yes");
        Assert.Equal((1, true), (code, output.Contains("2 stay as they are", StringComparison.Ordinal)));
        Assert.Contains("2 dead letters discarded", await DoAsync("dead-letters", "discard", "--all", "--kind", "message", "--yes"),
            StringComparison.Ordinal);
        Assert.Contains("0 dead letters", await DoAsync("dead-letters", "list"), StringComparison.Ordinal);
        Assert.Equal(3, (await DoAsync("dead-letters", "list", "--state", "all", "--json")).Split('\n').Count(line => line.StartsWith('{')));
        Assert.Equal(2, (await RunAsync("dead-letters", "replay")).Code);
        Assert.Equal(2, (await RunAsync("dead-letters", "discard", "1")).Code);
        Assert.Equal(1, (await RunAsync("dead-letters", "show", "999")).Code);
    }

    private static JsonElement Json(string output)
    {
        using var document = JsonDocument.Parse(output.Split('\n').First(line => line.StartsWith('{')));
        return document.RootElement.Clone();
    }

    private Task<(int Code, string Output)> RunAsync(params string[] args) => EstatCommand.RunAsync([.. args, "--url", _server.Address.ToString()]);

    private async Task<string> DoAsync(params string[] args)
    {
        (int code, string output) = await RunAsync(args);
        Assert.True(code == 0, $"{string.Join(' ', args)} ended with {code}: {output}");
        return output;
    }

    /// <summary>One PostgreSQL for all of them.</summary>
    public sealed class Database : IAsyncLifetime
    {
        public PostgresServer? Server { get; private set; }

        public async ValueTask InitializeAsync() => Server = PostgresServer.Available(out _) ? await PostgresServer.StartAsync() : null;

        public ValueTask DisposeAsync() => Server?.DisposeAsync() ?? default;
    }
}
