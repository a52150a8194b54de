// What the pages say of a node is true at every moment.
using System.Net;
using System.Text.Json;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

public sealed class StatePagesTests(RealS3 s3)
{
    [Fact]
    public async Task The_state_has_every_field_of_its_contract()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.SendAsync("a", "b");
        JsonElement state = await server.GetAsync("/admin/state");
        using JsonDocument contract = Contract();
        AssertHasFieldsOf(contract.RootElement, state, "state");
        Assert.Equal("standalone", state.GetProperty("node").GetProperty("role").GetString());
        Assert.True(state.GetProperty("node").GetProperty("ready").GetBoolean());
        Assert.Equal(2, AdministeredServer.Conserved(state)["accepted"]);
        JsonElement nodes = await server.GetAsync("/admin/nodes");
        AssertHasFieldsOf(contract.RootElement, Assert.Single(nodes.GetProperty("nodes").EnumerateArray()), "nodes");
    }

    [Fact]
    public async Task In_every_frame_of_live_the_conservation_line_adds_up_while_events_flow_and_S3_goes_away_and_comes_back()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        Dictionary<string, string> options = s3.Options(bucket, folder, proxy.Endpoint);
        options["FLUSH_INTERVAL"] = "100ms";
        options["BATCH_SIZE"] = "200";
        options["S3_TIMEOUT"] = "300ms";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using EventReader live = await EventReader.OpenAsync(server.Client, "/admin/live");
        Task<SendReport> sending = new EventSender(server.BaseAddress, connections: 4, perSecond: 2_000).SendAsync(4_000);

        proxy.Fault = new Fault(FaultKind.Refuse, 0);
        Dictionary<string, long> at = await UntilFrameAsync(live, frame => frame["dlq"] > 0, "events in the DLQ");
        Assert.True(at["accepted"] > 0);
        proxy.Fault = Fault.None;
        SendReport report = await sending;
        server.Client.DefaultRequestHeaders.Add("X-Estat-Admin", "1");
        // which spares the longest waits
        using HttpResponseMessage allDue = await server.Client.PostAsync(new Uri("/admin/dlq/retry", UriKind.Relative), null);
        Assert.Equal(System.Net.HttpStatusCode.OK, allDue.StatusCode);
        await UntilFrameAsync(live, frame => frame["stored"] == report.Acknowledged.Count && frame["dlq"] == 0, "all events stored");
        server.Terminate();
        await Oracle.EndsWellAsync(server, AdministeredServer.Patience);
    }

    [Fact]
    public async Task Watchers_do_not_hold_up_a_drain()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        using EventReader live = await EventReader.OpenAsync(server.Http, "/admin/live");
        using EventReader tail = await EventReader.OpenAsync(server.Http, "/tail");
        // One that reads nothing, and whose connection has no room for more.
        using RawHttp deaf = await server.Server.ConnectAsync();
        await deaf.SendAsync("GET /admin/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.NotNull(await live.NextAsync());
        // SHUTDOWN_TIMEOUT is 25 s, and the drain of an empty node takes none of it
        await server.Server.DrainAsync().WaitAsync(TimeSpan.FromSeconds(15));
        while (await live.NextAsync() is not null)
        {
        }

        while (await tail.NextAsync() is not null)
        {
        }
    }

    [Fact]
    public async Task More_watchers_than_may_are_told_so()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        var open = new List<EventReader>();
        for (int i = 0; i < 100; i++)
        {
            open.Add(await EventReader.OpenAsync(server.Http, "/admin/live"));
        }

        await server.AskAsync(HttpMethod.Get, "/admin/live", HttpStatusCode.ServiceUnavailable);
        open.ForEach(reader => reader.Dispose());
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage answer = await server.Http.GetAsync(
                    new Uri("/admin/live", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
                return answer.StatusCode == HttpStatusCode.OK;
            }, AdministeredServer.Patience, "those who left to make room");
    }

    [Theory]
    [InlineData("POST", "/admin/state", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "/admin/live", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/admin/dlq?node=nobody", HttpStatusCode.NotFound)]
    [InlineData("GET", "/admin/objects/nothing", HttpStatusCode.NotFound)]
    [InlineData("GET", "/admin/objects?limit=201", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/admin/objects?limit=x", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/admin/objects/preview", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/admin/dlq/x/y/z", HttpStatusCode.NotFound)]
    public async Task What_is_asked_wrongly_is_told_how_to_ask(string method, string path, HttpStatusCode expected)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.AskAsync(new HttpMethod(method), path, expected);
    }

    [Theory]
    [InlineData("POST", "/admin/state", "GET, HEAD")]
    [InlineData("POST", "/admin/nodes", "GET, HEAD")]
    [InlineData("HEAD", "/admin/live", "GET")]
    [InlineData("PUT", "/admin/objects/preview", "GET, HEAD")]
    [InlineData("DELETE", "/admin/dlq", "GET, HEAD")]
    [InlineData("GET", "/admin/dlq/retry", "POST")]
    [InlineData("DELETE", "/admin/dlq/retry", "POST")]
    [InlineData("POST", "/admin/dlq/NAME", "GET, HEAD, DELETE")]
    [InlineData("DELETE", "/admin/dlq/NAME/content", "GET, HEAD")]
    [InlineData("GET", "/admin/dlq/NAME/retry", "POST")]
    [InlineData("POST", "/admin/quarantine", "GET, HEAD, DELETE")]
    [InlineData("DELETE", "/admin/quarantine/content", "GET, HEAD")]
    [InlineData("GET", "/admin/quarantine/retry", "POST")]
    [InlineData("GET", "/admin/session", "POST, DELETE")]
    public async Task A_method_that_a_page_does_not_take_is_405_with_those_that_it_takes(string method, string path, string allowed)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, allowed), (answer.StatusCode, string.Join(", ", answer.Content.Headers.Allow)));
    }

    private static async Task<Dictionary<string, long>> UntilFrameAsync(EventReader live, Func<Dictionary<string, long>, bool> condition, string what)
    {
        for (int frames = 0; frames < 90; frames++)
        {
            (string Name, string Data)? frame = await live.NextAsync();
            Assert.Equal("state", frame?.Name);
            using var document = JsonDocument.Parse(frame!.Value.Data);
            Dictionary<string, long> at = AdministeredServer.Conserved(document.RootElement.GetProperty("nodes")[0]);
            if (condition(at))
            {
                return at;
            }
        }

        throw new TimeoutException($"90 frames without {what}");
    }

    // The page that the console and the command line are written against.
    private static JsonDocument Contract()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "admin-api.md"));
        int start = page.IndexOf("```json\n", StringComparison.Ordinal) + "```json\n".Length;
        return JsonDocument.Parse(page[start..page.IndexOf("```", start, StringComparison.Ordinal)]);
    }

    private static void AssertHasFieldsOf(JsonElement contract, JsonElement actual, string where)
    {
        foreach (JsonProperty field in contract.EnumerateObject())
        {
            Assert.True(actual.TryGetProperty(field.Name, out JsonElement value), $"{where} lacks {field.Name}");
            if (field.Value.ValueKind == JsonValueKind.Object)
            {
                AssertHasFieldsOf(field.Value, value, $"{where}.{field.Name}");
            }
        }
    }
}
