// Requests in /openapi.json: all of its paths, where they are served, and a walk over them whose every answer is held against the document.
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Estat.Api.Options;
using Estat.Requests.Http;
using Estat.Testing;

namespace Estat.Api.Tests.Contract;

public sealed class RequestsApiTests
{
    private const string SomeId = "00000000-0000-8000-8000-000000000000";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("collect", true, false)]
    [InlineData("requests", false, true)]
    [InlineData("collect,requests", true, true)]
    public async Task What_is_described_is_what_the_node_serves(string serve, bool collects, bool decides)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Serving(options, serve));
        JsonObject paths = JsonNode.Parse(await server.Client.GetStringAsync(Relative("/openapi.json")))!["paths"]!.AsObject();

        Assert.Equal(collects, paths.ContainsKey("/collect"));
        Assert.Equal(decides, paths.ContainsKey("/campaigns/{campaignId}/requests"));
        Assert.True(paths.ContainsKey("/health"));
        foreach ((string path, JsonNode? operations) in paths.Where(path => path.Key.StartsWith("/campaigns", StringComparison.Ordinal)
            || path.Key.StartsWith("/admin/campaigns", StringComparison.Ordinal) || path.Key.StartsWith("/admin/requests", StringComparison.Ordinal)))
        {
            foreach (string method in operations!.AsObject().Select(operation => operation.Key.ToUpperInvariant()))
            {
                using HttpResponseMessage answer = await SendAsync(server, method, Filled(path), "ann", "{}");
                Assert.NotEqual(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
                string text = await answer.Content.ReadAsStringAsync();
                Assert.DoesNotContain("no such page", text, StringComparison.Ordinal);
                Assert.DoesNotContain("Nothing is at this path", text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Every_path_of_Requests_is_described()
    {
        string[] described = [.. JsonNode.Parse(ApiDescription.DocumentOf("requests"))!["paths"]!.AsObject().Select(path => path.Key)];
        RequestResource[] found = [.. described.Select(path => RequestPath.Of(Filled(path)).Resource).Where(found => found != RequestResource.None)];

        Assert.Equal(Enum.GetValues<RequestResource>().Where(resource => resource != RequestResource.None), found.Order());
        Assert.All(
            ["/admin/campaigns", "/admin/campaigns/{campaignId}", "/admin/campaigns/{campaignId}/close", "/admin/campaigns/{campaignId}/pause",
                "/admin/campaigns/{campaignId}/resume", "/admin/campaigns/{campaignId}/draw", "/admin/campaigns/{campaignId}/export",
                "/admin/requests", "/admin/requests/redrive", "/admin/users/erase"],
            path => Assert.Contains(path, described));
    }

    [Fact]
    public async Task The_operators_pages_are_all_below_a_path_that_is_described()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Serving(options, "requests"));
        string[] described = [.. JsonNode.Parse(ApiDescription.DocumentOf("requests"))!["paths"]!.AsObject().Select(path => path.Key)];
        using HttpResponseMessage nothing = await server.Client.GetAsync(Relative("/nothing"));
        string[] pages = [.. (await nothing.Content.ReadAsStringAsync()).Split(' ', ',', '.', '"')
            .Where(word => word.StartsWith("/admin/", StringComparison.Ordinal))];

        Assert.True(pages.Length >= 3, string.Join(' ', pages));
        Assert.All(pages, page => Assert.Contains(page, described));
    }

    [Fact]
    public async Task A_sale_from_its_making_to_its_export_is_answered_as_described()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Serving(options, "requests") with
        {
            Requests = options.Requests with { MaxBodySize = 64 },
        });
        const string Sale = "/admin/campaigns/sale";
        const string Settings = """{"policy":"first-come","opensAt":"2026-01-01T00:00:00Z","capacity":1}""";
        await ExpectAsync(server, HttpStatusCode.Created, "PUT", Sale, null, Settings);
        string more = Settings.Replace(":1}", ":2}", StringComparison.Ordinal);
        await ExpectAsync(server, HttpStatusCode.OK, "PUT", Sale, null, more, ("If-Match", "\"1\""));
        await ExpectAsync(server, HttpStatusCode.PreconditionFailed, "PUT", Sale, null, Settings, ("If-Match", "\"1\""));
        await ExpectAsync(server, HttpStatusCode.Conflict, "PUT", Sale, null, Settings.Replace("2026-01-01", "2026-01-02", StringComparison.Ordinal));
        await ExpectAsync(server, HttpStatusCode.BadRequest, "PUT", Sale, null, """{"policy":"any"}""");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/campaigns/sale");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/admin/campaigns");

        const string Enter = "/campaigns/sale/requests";
        using HttpResponseMessage first = await SendAsync(server, "POST", Enter, "ann", """{"size":"M"}""", ("Prefer", "wait=20"));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        string own = first.Headers.Location!.ToString();
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Enter, "ann");
        await ExpectAsync(server, HttpStatusCode.Unauthorized, "POST", Enter);
        await ExpectAsync(server, HttpStatusCode.NotFound, "POST", "/campaigns/other/requests", "ann");
        await ExpectAsync(server, HttpStatusCode.BadRequest, "POST", Enter, "bob", "no JSON");
        await ExpectAsync(server, HttpStatusCode.RequestEntityTooLarge, "POST", Enter, "bob", new string('1', 65));
        await ExpectAsync(server, HttpStatusCode.UnsupportedMediaType, "POST", Enter, "bob", "1", ("Content-Encoding", "gzip"));
        await ExpectAsync(server, HttpStatusCode.MethodNotAllowed, "PUT", Enter, "ann");
        await ExpectAsync(server, HttpStatusCode.NoContent, "OPTIONS", Enter);

        using HttpResponseMessage shown = await SendAsync(server, "GET", own, "ann");
        await ExpectAsync(server, HttpStatusCode.NotModified, "GET", own, "ann", null, ("If-None-Match", shown.Headers.ETag!.ToString()));
        await ExpectAsync(server, HttpStatusCode.OK, "HEAD", own, "ann");
        await ExpectAsync(server, HttpStatusCode.NotFound, "GET", own, "bob");
        await ExpectAsync(server, HttpStatusCode.Conflict, "DELETE", own, "ann");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/me/requests", "ann");
        await ExpectAsync(server, HttpStatusCode.BadRequest, "GET", "/me/requests?cursor=no", "ann");

        await ExpectAsync(server, HttpStatusCode.OK, "POST", Sale + "/pause");
        await ExpectAsync(server, HttpStatusCode.Accepted, "POST", Enter, "bob");
        await ExpectAsync(server, HttpStatusCode.OK, "DELETE", $"/requests/{await IdAsync(server, "bob")}", "bob");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Sale + "/resume");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/admin/requests?campaign=sale&status=REJECTED&limit=1");
        await ExpectAsync(server, HttpStatusCode.BadRequest, "GET", "/admin/requests?limit=0");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", Sale + "/export?format=jsonl");
        using HttpResponseMessage export = await SendAsync(server, "GET", Sale + "/export", null);
        Assert.Equal(3, (await export.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        await ExpectAsync(server, HttpStatusCode.OK, "POST", "/admin/requests/redrive", null, """{"campaign":"sale","dryRun":true}""");
        await ExpectAsync(server, HttpStatusCode.BadRequest, "POST", "/admin/requests/redrive", null, "{}");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", "/admin/users/erase", null, """{"userId":"ann"}""");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/admin/requests?campaign=sale");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Enter, "ann"); // known for ever
        await ExpectAsync(server, HttpStatusCode.NotFound, "GET", own, "ann");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Sale + "/close");
        await ExpectAsync(server, HttpStatusCode.Gone, "POST", Enter, "eve");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Enter, "bob");
    }

    [Fact]
    public async Task A_draw_is_answered_as_described_before_its_opening_and_after_its_close()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Serving(options, "requests"));
        const string Draw = "/admin/campaigns/draw";
        await ExpectAsync(server, HttpStatusCode.BadRequest, "PUT", Draw, null, WithBeacon(77));
        await ExpectAsync(server, HttpStatusCode.Created, "PUT", Draw, null, WithBeacon(5_000_000_000));
        await ExpectAsync(server, HttpStatusCode.OK, "GET", Draw);
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/campaigns/draw/draw");
        await ExpectAsync(server, HttpStatusCode.Forbidden, "POST", "/campaigns/draw/requests", "ann");
        await ExpectAsync(server, HttpStatusCode.Conflict, "POST", Draw + "/close");
        await ExpectAsync(server, HttpStatusCode.OK, "PUT", Draw, null,
            """{"policy":"draw","opensAt":"2026-01-01T00:00:00Z","closesAt":"2126-01-02T00:00:00Z","winners":1}""");
        await ExpectAsync(server, HttpStatusCode.Accepted, "POST", "/campaigns/draw/requests", "ann");
        await ExpectAsync(server, HttpStatusCode.Accepted, "POST", "/campaigns/draw/requests", "bob");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/campaigns/draw/draw");
        await ExpectAsync(server, HttpStatusCode.NotFound, "GET", "/campaigns/draw/draw/requests");
        await ExpectAsync(server, HttpStatusCode.Conflict, "POST", Draw + "/draw");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Draw + "/close");
        await ExpectAsync(server, HttpStatusCode.OK, "POST", Draw + "/draw");
        await ExpectAsync(server, HttpStatusCode.Conflict, "POST", Draw + "/draw", null, $$"""{"beacon":"{{new string('a', 64)}}"}""");
        await ExpectAsync(server, HttpStatusCode.OK, "GET", "/campaigns/draw/draw");
        using HttpResponseMessage list = await SendAsync(server, "GET", "/campaigns/draw/draw/requests", null);
        Assert.Equal(2, (await list.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await Wait.UntilAsync(
            async () => (await server.Client.GetStringAsync(Relative("/campaigns/draw")))
                .Contains("\"succeeded\":1,\"rejected\":1", StringComparison.Ordinal),
            Patience, "the draw's requests to be decided");
    }

    // A chain that the server does not know.
    private static string WithBeacon(long round) => string.Create(CultureInfo.InvariantCulture, $$"""
        {"policy":"draw","opensAt":"2126-01-01T00:00:00Z","closesAt":"2126-01-02T00:00:00Z","winners":1,
        "beacon":{"chain":"{{new string('c', 64)}}","round":{{round}},"genesis":1700000000,"period":1} }
        """);

    [Fact]
    public async Task A_header_from_a_stranger_names_nobody()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Serving(options, "requests") with
        {
            Http = options.Http with { HttpAddr = "0.0.0.0:0", TrustedProxies = [IPNetwork.Parse("10.0.0.0/8")] },
            Requests = options.Requests with { UserHeader = "X-User-Id" },
        });
        await ExpectAsync(server, HttpStatusCode.Unauthorized, "GET", "/me/requests", "ann");
        await ExpectAsync(server, HttpStatusCode.Unauthorized, "GET", $"/requests/{SomeId}", "ann");
    }

    private static EstatOptions Serving(EstatOptions options, string serve) => options with { Serve = serve.Split(',') };

    private static string Filled(string path) => path.Replace("{campaignId}", "sale", StringComparison.Ordinal)
        .Replace("{requestId}", SomeId, StringComparison.Ordinal);

    private static async Task<string> IdAsync(RunningServer server, string user)
    {
        using HttpResponseMessage own = await SendAsync(server, "GET", "/me/requests", user);
        return JsonNode.Parse(await own.Content.ReadAsStringAsync())!["requests"]![0]!["requestId"]!.GetValue<string>();
    }

    private static async Task ExpectAsync(
        RunningServer server, HttpStatusCode status, string method, string path, string? user = null, string? body = null,
        params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage answer = await SendAsync(server, method, path, user, body, headers);
        Assert.True(answer.StatusCode == status, $"{method} {path}: {answer.StatusCode}\n{await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task<HttpResponseMessage> SendAsync(
        RunningServer server, string method, string path, string? user, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Relative(path)) { Headers = { { "X-Estat-Admin", "1" } } };
        if (user is not null)
        {
            request.Headers.Add("X-User-Id", user);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await server.Client.SendAsync(request);
    }

    private static Uri Relative(string path) => new(path, UriKind.Relative);
}
