// The paths of users as a client sees them: docs/requests.md, over a real server.
using System.Globalization;
using System.Text.Json;

namespace Estat.Requests.Tests.Http;

public sealed class RequestHttpTests(RequestsPlace place) : IClassFixture<RequestsPlace>
{
    private const string FirstCome = RequestsPlace.FirstCome;
    private const string Problem = "urn:estat:problem";

    // One server for all tests: each has campaigns and users of its own.
    private readonly string _tag = Guid.NewGuid().ToString("N")[..8];

    private HttpClient Client => place.Client;

    private string Sale => $"sale-{_tag}";

    private string Ann => $"ann-{_tag}";

    private string Bob => $"bob-{_tag}";

    [Fact]
    public async Task A_request_gets_202_and_the_decision_is_waited_for_and_seen_again()
    {
        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        using HttpResponseMessage first = await RequestsServer.AskAsync(
            Client, HttpMethod.Post, $"/campaigns/{Sale}/requests", """{"size":"M"}""", ("X-User-Id", Ann), ("Prefer", "respond-async, wait=20"));
        using JsonDocument decided = JsonDocument.Parse(await first.Content.ReadAsByteArrayAsync());
        string location = first.Headers.Location!.ToString();

        Assert.Equal(200, (int)first.StatusCode);
        Assert.Equal("wait=20", Assert.Single(first.Headers.GetValues("Preference-Applied")));
        Assert.Equal("SUCCEEDED", decided.RootElement.GetProperty("status").GetString());
        Assert.Equal($"/requests/{decided.RootElement.GetProperty("requestId").GetString()}", location);
        Assert.True(decided.RootElement.TryGetProperty("serverTime", out _));

        (int status, string second) = await RequestsServer.PostAsync(Client, Sale, Bob);
        Assert.Equal(202, status);
        (status, second) = await RequestsServer.PostAsync(Client, Sale, Bob, "", ("Prefer", "wait=20"));
        Assert.Equal(200, status);
        Assert.Contains("\"reason\":\"full\"", second, StringComparison.Ordinal);
        (status, string again) = await RequestsServer.PostAsync(Client, Sale, Ann, """{"size":"L"}""");
        Assert.Equal(200, status); // the first body won, and the request is final
        Assert.Contains(location[^36..], again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_its_owner_s_alone_and_an_unchanged_one_is_304()
    {
        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        string path = await PathOfAsync(Sale, Ann);
        using HttpResponseMessage shown = await RequestsServer.AskAsync(
            Client, HttpMethod.Get, path, "", ("X-User-Id", Ann), ("Prefer", "wait=20"));
        string tag = shown.Headers.ETag!.Tag;

        Assert.Equal(200, (int)shown.StatusCode);
        Assert.Equal(304, (await SendAsync(HttpMethod.Get, path, "", ("X-User-Id", Ann), ("If-None-Match", tag))).Status);
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, path, "", ("X-User-Id", Bob))).Status);
        Assert.Equal(401, (await SendAsync(HttpMethod.Get, path)).Status);
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, path.ToUpperInvariant().Replace("/REQUESTS", "/requests", StringComparison.Ordinal), "",
            ("X-User-Id", Ann))).Status);
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, "/requests/x", "", ("X-User-Id", Ann))).Status);
        Assert.Equal(404, (await SendAsync(HttpMethod.Delete, path, "", ("X-User-Id", Bob))).Status);
    }

    [Fact]
    public async Task A_paused_campaign_s_request_shows_its_position_and_can_be_withdrawn_once()
    {
        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{Sale}/pause")).Status);
        await RequestsServer.PostAsync(Client, Sale, Ann);
        (int status, string body) = await RequestsServer.PostAsync(Client, Sale, Bob, "", ("Prefer", "wait=1"));
        Assert.Equal(202, status);
        Assert.Contains("\"status\":\"QUEUED\"", body, StringComparison.Ordinal);
        Assert.Contains("\"position\":2", body, StringComparison.Ordinal);
        string path = await PathOfAsync(Sale, Ann);
        Assert.Equal(200, (await SendAsync(HttpMethod.Delete, path, "", ("X-User-Id", Ann))).Status);
        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{Sale}/resume")).Status);
        (status, body) = await RequestsServer.PostAsync(Client, Sale, Bob, "", ("Prefer", "wait=20"));
        Assert.Contains("SUCCEEDED", body, StringComparison.Ordinal);
        (status, body) = await RequestsServer.PostAsync(Client, Sale, Ann);
        Assert.Equal(200, status);
        Assert.Contains("withdrawn", body, StringComparison.Ordinal);
        Assert.Equal(409, (await SendAsync(HttpMethod.Delete, await PathOfAsync(Sale, Bob), "", ("X-User-Id", Bob))).Status);
    }

    [Fact]
    public async Task What_is_wrong_is_told_and_takes_nothing()
    {
        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        (string Path, string Body, (string, string)[] Headers, int Status)[] wrong =
        [
            ("/campaigns/none/requests", "", [("X-User-Id", Ann)], 404),
            ($"/campaigns/{Sale}/requests", "", [], 401),
            ($"/campaigns/{Sale}/requests", "", [("X-User-Id", "")], 401),
            ($"/campaigns/{Sale}/requests", "", [("X-User-Id", new string('u', 257))], 401),
            ($"/campaigns/{Sale}/requests", "{", [("X-User-Id", Ann)], 400),
            ($"/campaigns/{Sale}/requests", "x=1", [("X-User-Id", Ann)], 400),
            ($"/campaigns/{Sale}/requests", $"\"{new string('x', 64 * 1024)}\"", [("X-User-Id", Ann)], 413),
            ($"/campaigns/{Sale}/nothing", "", [("X-User-Id", Ann)], 404),
            ("/campaigns/", "", [("X-User-Id", Ann)], 404),
        ];
        foreach ((string path, string body, (string, string)[] headers, int status) in wrong)
        {
            (int answered, string problem) = await SendAsync(HttpMethod.Post, path, body, headers);
            Assert.True(status == answered, $"{path} {body[..Math.Min(20, body.Length)]}: {answered}, {problem}");
            Assert.Contains(Problem, problem, StringComparison.Ordinal);
        }

        Assert.Contains("\"accepted\":0", (await SendAsync(HttpMethod.Get, $"/campaigns/{Sale}")).Body, StringComparison.Ordinal);
        using HttpResponseMessage method = await RequestsServer.AskAsync(Client, HttpMethod.Put, $"/campaigns/{Sale}/requests");
        Assert.Equal((405, "POST, OPTIONS"), ((int)method.StatusCode, string.Join(", ", method.Content.Headers.Allow)));
    }

    [Fact]
    public async Task A_campaign_that_has_not_opened_is_403_with_the_time_and_one_that_has_closed_410()
    {
        string later = DateTimeOffset.UtcNow.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await AdminAsync(HttpMethod.Put, $"/admin/campaigns/soon-{_tag}", $$"""{"policy":"first-come","capacity":1,"opensAt":"{{later}}"}""");
        using HttpResponseMessage early = await RequestsServer.AskAsync(
            Client, HttpMethod.Post, $"/campaigns/soon-{_tag}/requests", "", ("X-User-Id", Ann));
        Assert.Equal(403, (int)early.StatusCode);
        Assert.InRange(early.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 3500, 3601);
        Assert.Contains("\"opensAt\":\"2", await early.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        await RequestsServer.PostAsync(Client, Sale, Ann);
        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{Sale}/close")).Status);
        Assert.Equal(410, (await RequestsServer.PostAsync(Client, Sale, Bob)).Status);
        Assert.True((await RequestsServer.PostAsync(Client, Sale, Ann)).Status is 200 or 202);
    }

    [Fact]
    public async Task A_user_over_the_rate_gets_429_but_never_for_a_request_that_is_there()
    {
        for (int i = 0; i < 12; i++)
        {
            await RequestsServer.PutCampaignAsync(Client, $"{Sale}-{i}", FirstCome + "1");
        }

        var answers = new List<int>();
        for (int i = 0; i < 12; i++)
        {
            answers.Add((await RequestsServer.PostAsync(Client, $"{Sale}-{i}", Ann)).Status);
        }

        Assert.Equal([202, 202, 202, 202, 202, 202, 202, 202, 202, 202, 429, 429], answers);
        Assert.NotEqual(429, (await RequestsServer.PostAsync(Client, $"{Sale}-0", Ann)).Status);
        Assert.Equal(202, (await RequestsServer.PostAsync(Client, $"{Sale}-10", Bob)).Status);
    }

    [Fact]
    public async Task A_withdrawal_counts_as_a_request_of_its_user_unless_there_is_nothing_to_write()
    {
        for (int i = 0; i < 10; i++)
        {
            await RequestsServer.PutCampaignAsync(Client, $"{Sale}-{i}", FirstCome + "1");
        }

        await RequestsServer.PostAsync(Client, $"{Sale}-0", Ann, "", ("Prefer", "wait=20"));
        for (int i = 1; i < 10; i++)
        {
            Assert.Equal(200, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{Sale}-{i}/pause")).Status);
            Assert.Equal(202, (await RequestsServer.PostAsync(Client, $"{Sale}-{i}", Ann)).Status);
        }

        Assert.Equal(429, (await SendAsync(HttpMethod.Delete, await PathOfAsync($"{Sale}-1", Ann), "", ("X-User-Id", Ann))).Status);
        Assert.Equal(409, (await SendAsync(HttpMethod.Delete, await PathOfAsync($"{Sale}-0", Ann), "", ("X-User-Id", Ann))).Status);
    }

    [Theory]
    [InlineData("""{"campaign":"sale","dryRun":"true"}""")]
    [InlineData("""{"campaign":"sale","since":1700000000}""")]
    [InlineData("""{"campaign":"sale","reason":5}""")]
    [InlineData("""{"campaign":"sale","since":"yesterday"}""")]
    [InlineData("""{"ids":["x"]}""")]
    [InlineData("""{"campaign":"\ud800"}""")]
    [InlineData("{}")]
    public async Task An_order_to_redrive_that_cannot_be_read_redrives_nothing(string order)
    {
        (int status, string body) = await AdminAsync(HttpMethod.Post, "/admin/requests/redrive", order);
        Assert.True(status == 400, $"{status} {body}");
    }

    [Theory]
    [InlineData("user=a&user=b")]
    [InlineData("status=DONE")]
    [InlineData("campain=sale")]
    [InlineData("limit=201")]
    [InlineData("cursor=x")]
    public async Task A_search_that_cannot_be_read_finds_nothing(string query) =>
        Assert.Equal(400, (await AdminAsync(HttpMethod.Get, $"/admin/requests?{query}")).Status);

    [Fact]
    public async Task A_user_s_own_requests_are_listed_newest_first()
    {
        foreach (string id in new[] { $"a-{_tag}", $"b-{_tag}", $"c-{_tag}" })
        {
            await RequestsServer.PutCampaignAsync(Client, id, FirstCome + "1");
            await RequestsServer.PostAsync(Client, id, Ann, "", ("Prefer", "wait=20"));
        }

        await RequestsServer.PostAsync(Client, $"a-{_tag}", Bob);
        using JsonDocument mine = JsonDocument.Parse((await SendAsync(HttpMethod.Get, "/me/requests", "", ("X-User-Id", Ann))).Body);
        Assert.Equal(
            [$"c-{_tag}", $"b-{_tag}", $"a-{_tag}"],
            mine.RootElement.GetProperty("requests").EnumerateArray().Select(one => one.GetProperty("campaignId").GetString()));
        Assert.Equal(400, (await SendAsync(HttpMethod.Get, "/me/requests?cursor=x", "", ("X-User-Id", Ann))).Status);
    }

    [Fact]
    public async Task A_draw_s_proof_is_public_and_adds_up()
    {
        string prize = $"prize-{_tag}";
        string closes = DateTimeOffset.UtcNow.AddDays(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await RequestsServer.PutCampaignAsync(Client, prize, $"\"policy\":\"draw\",\"winners\":2,\"closesAt\":\"{closes}\"");
        foreach (int i in Enumerable.Range(0, 9))
        {
            await RequestsServer.PostAsync(Client, prize, $"user{i}-{_tag}");
        }

        string before = (await SendAsync(HttpMethod.Get, $"/campaigns/{prize}/draw")).Body;
        Assert.DoesNotContain("\"seed\"", before, StringComparison.Ordinal);
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"/campaigns/{prize}/draw/requests")).Status);
        Assert.Equal(409, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{prize}/draw")).Status);
        await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{prize}/close");
        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{prize}/draw")).Status);
        Assert.Equal(409, (await AdminAsync(HttpMethod.Post, $"/admin/campaigns/{prize}/draw", $$"""{"beacon":"{{new string('a', 64)}}"}""")).Status);

        using JsonDocument proof = JsonDocument.Parse((await SendAsync(HttpMethod.Get, $"/campaigns/{prize}/draw")).Body);
        string list = (await SendAsync(HttpMethod.Get, $"/campaigns/{prize}/draw/requests")).Body;
        byte[] seed = Convert.FromHexString(proof.RootElement.GetProperty("seed").GetString()!);
        Assert.Equal(HashOf(seed), proof.RootElement.GetProperty("seedHash").GetString());
        Assert.Contains(HashOf(seed), before, StringComparison.Ordinal);
        Assert.Equal(HashOf(System.Text.Encoding.ASCII.GetBytes(list)), proof.RootElement.GetProperty("cut").GetString());
        string[] ids = list.TrimEnd('\n').Split('\n');
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        string[] winners = [.. ids.OrderBy(
            id => Convert.ToHexString(System.Security.Cryptography.HMACSHA256.HashData(seed, System.Text.Encoding.ASCII.GetBytes(id))),
            StringComparer.Ordinal).Take(2)];
        await Wait.UntilAsync(
            async () => (await SendAsync(HttpMethod.Get, $"/campaigns/{prize}")).Body.Contains("\"succeeded\":2", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60), "the draw's decisions");
        string found = (await AdminAsync(HttpMethod.Get, $"/admin/requests?campaign={prize}&status=SUCCEEDED")).Body;
        Assert.All(winners, winner => Assert.Contains(winner, found, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_a_spreadsheet_would_run_is_exported_as_text()
    {
        await RequestsServer.PutCampaignAsync(Client, Sale, FirstCome + "1");
        await RequestsServer.PostAsync(Client, Sale, "=cmd|' /C calc'!A0", "", ("Prefer", "wait=20"));
        string csv = (await AdminAsync(HttpMethod.Get, $"/admin/campaigns/{Sale}/export")).Body;
        Assert.Contains(",'=cmd|", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_campaign_is_made_once_by_If_None_Match_and_changed_as_it_was_seen_by_If_Match()
    {
        const string Settings = """{"policy":"first-come","capacity":1,"opensAt":"2026-01-01T00:00:00Z"}""";
        using HttpResponseMessage made = await RequestsServer.AskAsync(
            Client, HttpMethod.Put, $"/admin/campaigns/{Sale}", Settings, ("X-Estat-Admin", "1"), ("If-None-Match", "*"));
        Assert.Equal(201, (int)made.StatusCode);
        Assert.Equal(412, (await AdminAsync(HttpMethod.Put, $"/admin/campaigns/{Sale}", Settings, ("If-None-Match", "*"))).Status);
        Assert.Equal(412, (await AdminAsync(HttpMethod.Put, $"/admin/campaigns/{Sale}", Settings, ("If-Match", "\"9\""))).Status);
        Assert.Equal(200, (await AdminAsync(HttpMethod.Put, $"/admin/campaigns/{Sale}", Settings, ("If-Match", made.Headers.ETag!.Tag))).Status);
        Assert.Equal(409, (await AdminAsync(HttpMethod.Put, $"/admin/campaigns/{Sale}",
            Settings.Replace("first-come", "draw", StringComparison.Ordinal).Replace("capacity", "winners", StringComparison.Ordinal)
                .Replace("}", ",\"closesAt\":\"2099-01-01T00:00:00Z\"}", StringComparison.Ordinal))).Status);
        foreach (string wrong in new[]
        {
            "{", "[]", "{}", """{"policy":"lottery"}""", """{"policy":"first-come","capacity":0,"opensAt":"2026-01-01T00:00:00Z"}""",
            """{"policy":"first-come","capacity":1,"opensAt":"2026-01-01"}""",
            """{"policy":"first-come","capasity":1,"opensAt":"2026-01-01T00:00:00Z"}""",
            """{"policy":"draw","winners":1,"opensAt":"2026-01-01T00:00:00Z"}""",
        })
        {
            (int status, string body) = await AdminAsync(HttpMethod.Put, $"/admin/campaigns/other-{_tag}", wrong);
            Assert.True(status == 400, $"{wrong}: {status} {body}");
        }

        Assert.Equal(400, (await AdminAsync(HttpMethod.Put, "/admin/campaigns/.hidden", Settings)).Status);
    }

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private Task<string> PathOfAsync(string campaign, string user) => place.PathOfAsync(campaign, user);

    private Task<(int Status, string Body)> AdminAsync(
        HttpMethod method, string path, string body = "", params (string Name, string Value)[] headers) =>
        place.AdminAsync(method, path, body, headers);

    private Task<(int Status, string Body)> SendAsync(
        HttpMethod method, string path, string body = "", params (string Name, string Value)[] headers) =>
        RequestsServer.SendAsync(Client, method, path, body, headers);
}
