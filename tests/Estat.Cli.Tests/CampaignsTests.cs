// `estat campaigns` and `estat requests` against a real server.
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;
using Estat.Tests.Support;

namespace Estat.Cli.Tests;

public sealed class CampaignsTests
{
    private static readonly string Opens = CampaignNode.FromNow(TimeSpan.FromMinutes(-1));
    private static readonly string[] FirstCome = ["campaigns", "put", "sale", "--policy", "first-come", "--opens-at", Opens, "--capacity", "2"];

    [Fact]
    public async Task A_campaign_is_made_listed_paused_and_closed()
    {
        await using CampaignNode node = await CampaignNode.StartAsync();
        Assert.Contains("has no campaign; estat campaigns put", await node.DoAsync("campaigns", "list"), StringComparison.Ordinal);
        Assert.Contains("first-come, open", await node.DoAsync([.. FirstCome, "--new"]), StringComparison.Ordinal);
        (int code, string output) = await node.RunAsync([.. FirstCome, "--new"]);
        Assert.Equal(1, code);
        Assert.Contains("412", output, StringComparison.Ordinal);
        Assert.Equal(1, (await node.RunAsync([.. FirstCome, "--if-version", "9"])).Code);

        await node.TakePartAsync("sale", "u1", "u2", "u3");
        await UntilDecidedAsync(node, 3);
        JsonElement counts = Json(await node.DoAsync("campaigns", "show", "sale", "--json")).GetProperty("counts");
        Assert.Equal((2, 1), (counts.GetProperty("succeeded").GetInt64(), counts.GetProperty("rejected").GetInt64()));

        Assert.Contains("open, paused", await node.DoAsync("campaigns", "pause", "sale"), StringComparison.Ordinal);
        string[] row = (await node.DoAsync("campaigns", "list")).Split('\n').Single(line => line.StartsWith("sale\t", StringComparison.Ordinal))
            .Split('\t');
        Assert.Equal(["first-come", "open, paused"], row[1..3]);
        Assert.Equal(["2 of 2", "3", "0", "1", "0"], row[5..].Select(cell => cell.Trim()));
        Assert.False(Json(await node.DoAsync("campaigns", "resume", "sale", "--json")).GetProperty("paused").GetBoolean());
        Assert.Contains("first-come, closed", await node.DoAsync("campaigns", "close", "sale", "--yes"), StringComparison.Ordinal);
        Assert.Contains("\"campaignId\":\"sale\"", await node.DoAsync("campaigns", "list", "--json"), StringComparison.Ordinal);

        (code, output) = await node.RunAsync("campaigns", "show", "another");
        Assert.Equal(1, code);
        Assert.Contains("has no campaign another", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_beacon_that_comes_before_the_close_is_refused_and_its_chain_may_be_described()
    {
        await using CampaignNode node = await CampaignNode.StartAsync();
        string[] draw =
        [
            "campaigns", "put", "prize", "--policy", "draw", "--opens-at", Opens, "--winners", "1",
            "--closes-at", CampaignNode.FromNow(TimeSpan.FromHours(1)), "--beacon-round",
        ];
        (int code, string output) = await node.RunAsync(
            [.. draw, "1", "--beacon-chain", "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"]);
        Assert.Equal(1, code);
        Assert.Contains("beacon.round must come after closesAt. Round 1 comes at 2023-08-23", output, StringComparison.Ordinal);

        await node.DoAsync([.. draw, "5000000000", "--beacon-chain", new string('c', 64), "--beacon-genesis", "0", "--beacon-period", "1"]);
        JsonElement beacon = Json(await node.ReadAsync("campaigns/prize/draw")).GetProperty("beacon");
        Assert.Equal("2128-06-11T08:53:19.000Z", beacon.GetProperty("roundAt").GetString());
    }

    [Fact]
    public async Task A_file_has_all_settings_and_its_secrets_are_not_shown()
    {
        await using CampaignNode node = await CampaignNode.StartAsync();
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(
            folder["hook.json"],
            $$"""{"webhook":{"url":"https://shop.example/decide","secrets":["0123456789abcdef-secret"]},"policy":"webhook","opensAt":"{{Opens}}"}""",
            TestContext.Current.CancellationToken);
        string shown = await node.DoAsync("campaigns", "put", "hook", "--file", folder["hook.json"]);
        Assert.Contains("https://shop.example/decide", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", shown, StringComparison.Ordinal);

        await File.WriteAllTextAsync(folder["hook.json"], """{"policy":"webhook","opens":"now"}""", TestContext.Current.CancellationToken);
        (int code, string output) = await node.RunAsync("campaigns", "put", "hook", "--file", folder["hook.json"]);
        Assert.Equal(1, code);
        Assert.Contains("There is no \"opens\" in a campaign", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_found_page_by_page_exported_and_erased()
    {
        const int Users = 450;
        await using CampaignNode node = await CampaignNode.StartAsync();
        await node.DoAsync(FirstCome);
        await node.TakePartAsync("sale", Enumerable.Range(1, Users).Select(number => $"user-{number}"));
        await UntilDecidedAsync(node, Users);

        JsonElement[] all = Lines(await node.DoAsync("requests", "search", "--campaign", "sale", "--all", "--json"));
        Assert.Equal(Enumerable.Range(1, Users), all.Select(request => request.GetProperty("sequence").GetInt32()));
        string few = await node.DoAsync("requests", "search", "--campaign", "sale", "--limit", "3");
        Assert.Contains("user-3\tREJECTED\t3\t", few, StringComparison.Ordinal);
        Assert.DoesNotContain("user-4\t", few, StringComparison.Ordinal);
        Assert.Contains("--all lists them all", few, StringComparison.Ordinal);
        JsonElement seventh = Assert.Single(Lines(await node.DoAsync("requests", "search", "--user", "user-7", "--json")));
        string id = seventh.GetProperty("requestId").GetString()!;
        Assert.Equal("full", Json(await node.DoAsync("requests", "show", id)).GetProperty("reason").GetString());

        using var folder = new TempFolder();
        await node.DoAsync("campaigns", "export", "sale", "--status", "SUCCEEDED", "--output", folder["winners.csv"]);
        string[] csv = await File.ReadAllLinesAsync(folder["winners.csv"], TestContext.Current.CancellationToken);
        Assert.Equal(["userId", "user-1", "user-2"], csv.Select(line => line.Split(',')[1]));
        Assert.Equal([folder["winners.csv"]], Directory.GetFiles(folder.Path));
        Assert.Equal(Users, Lines(await node.DoAsync("campaigns", "export", "sale", "--format", "jsonl")).Length);

        Assert.Contains("erased from 1 request", await node.DoAsync("requests", "erase", "user-7", "--yes"), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, Json(await node.DoAsync("requests", "show", id)).GetProperty("userId").ValueKind);
    }

    [Fact]
    public async Task A_dry_run_says_what_a_redrive_would_do_and_changes_nothing()
    {
        await using CampaignNode node = await CampaignNode.StartAsync(dir => EarlierRequests.FailAsync(dir, "sale", 2, "u1", "u2", "u3"));
        string[] redrive = ["requests", "redrive", "--campaign", "sale"];
        Assert.Contains("3 requests would be redriven; nothing was changed", await node.DoAsync([.. redrive, "--dry-run"]), StringComparison.Ordinal);
        Assert.Contains("0 requests would", await node.DoAsync([.. redrive, "--dry-run", "--reason", "another"]), StringComparison.Ordinal);
        Assert.Equal(3, await CountAsync(node, "failed"));

        JsonElement answer = Json(await node.DoAsync([.. redrive, "--json"]));
        Assert.Equal(3, answer.GetProperty("redriven").GetInt32());
        await UntilDecidedAsync(node, 3);
        Assert.Equal((0, 2), (await CountAsync(node, "failed"), await CountAsync(node, "succeeded")));
        string id = answer.GetProperty("ids")[0].GetString()!;
        Assert.Contains("0 requests redriven", await node.DoAsync("requests", "redrive", id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_without_campaigns_says_how_they_are_turned_on()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(SendTests.LocalServer(folder));
        (int code, string output) = await EstatCommand.RunAsync("campaigns", "list", "--url", server.BaseAddress.ToString());
        Assert.Equal(1, code);
        Assert.Contains("SERVE=collect,requests", output, StringComparison.Ordinal);
    }

    private static Task UntilDecidedAsync(CampaignNode node, long requests) => Wait.UntilAsync(
        async () =>
        {
            JsonElement counts = Json(await node.ReadAsync("campaigns/sale")).GetProperty("counts");
            return counts.GetProperty("succeeded").GetInt64() + counts.GetProperty("rejected").GetInt64() == requests;
        },
        TimeSpan.FromSeconds(60), $"{requests} decisions");

    private static async Task<long> CountAsync(CampaignNode node, string state) =>
        Json(await node.ReadAsync("campaigns/sale")).GetProperty("counts").GetProperty(state).GetInt64();

    // Notes stand on standard error, among them.
    private static JsonElement[] Lines(string output) => [.. output.Split('\n').Where(line => line.StartsWith('{')).Select(Json)];

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
