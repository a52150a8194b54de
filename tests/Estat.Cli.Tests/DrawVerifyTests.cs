// `estat draw verify` and examples/draw-verify prove the same draws, and see the same lies.
using System.Text.Json;
using System.Text.Json.Nodes;
using Estat.Cli.Tests.Support;
using Estat.Testing;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests;

public sealed class DrawVerifyTests
{
    private const string Beacon = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private static readonly string Chain = new('c', 64);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Both_programs_prove_a_draw_and_name_the_winners_of_the_store()
    {
        await using CampaignNode node = await DrawnAsync(beacon: false);
        string[] winners = await WinnersAsync(node);
        Assert.Equal(3, winners.Length);

        (int code, string output) = await node.RunAsync("draw", "verify", "prize", "--winners");
        Assert.True(code == 0, output);
        Assert.Contains("✓ seed", output, StringComparison.Ordinal);
        Assert.Equal(winners, Ids(output));
        (code, output) = await ExampleAsync($"{node.Url}campaigns/prize");
        Assert.True(code == 0, output);
        Assert.Equal(winners, Ids(output));

        string[] all = Ids(await node.ReadAsync("campaigns/prize/draw/requests"));
        string loser = all.Except(winners).First();
        Assert.Contains($"{winners[0]} won", await node.DoAsync("draw", "verify", "prize", "--request", winners[0]), StringComparison.Ordinal);
        Assert.Contains($"{loser} did not win", await node.DoAsync("draw", "verify", "prize", "--request", loser), StringComparison.Ordinal);
        Assert.Contains("nobody is not in the list", await node.DoAsync("draw", "verify", "prize", "--request", "nobody"), StringComparison.Ordinal);

        (code, output) = await EstatCommand.RunAsync("draw", "verify", $"{node.Url}campaigns/prize/draw", "--json", "--request", loser);
        using var document = JsonDocument.Parse(output);
        JsonElement result = document.RootElement;
        Assert.Equal((0, true, 12), (code, result.GetProperty("holds").GetBoolean(), result.GetProperty("requests").GetInt32()));
        Assert.Equal(winners, result.GetProperty("winners").EnumerateArray().Select(id => id.GetString()!).Order(StringComparer.Ordinal));
        Assert.False(result.GetProperty("request").GetProperty("won").GetBoolean());
    }

    [Fact]
    public async Task A_draw_with_a_beacon_is_compared_with_what_drand_says()
    {
        await using CampaignNode node = await DrawnAsync(beacon: true);
        string[] winners = await WinnersAsync(node);
        (int code, string output) = await node.RunAsync("draw", "verify", "prize", "--winners");
        Assert.True(code == 0, output);
        Assert.Contains("--drand URL compares it", output, StringComparison.Ordinal);
        Assert.Equal(winners, Ids(output));
        Assert.Equal(winners, Ids((await ExampleAsync($"{node.Url}campaigns/prize")).Output));

        string randomness = Beacon;
        await using FakeNode drand = await FakeNode.StartAsync(async context =>
        {
            Assert.Equal($"/{Chain}/public/77", context.Request.Path.Value);
            await context.Response.WriteAsync($$"""{"round":77,"randomness":"{{randomness}}"}""");
        });
        Assert.Contains("✓ beacon", await node.DoAsync("draw", "verify", "prize", "--drand", drand.Url), StringComparison.Ordinal);
        randomness = Chain;
        (code, output) = await node.RunAsync("draw", "verify", "prize", "--drand", drand.Url);
        Assert.Equal(1, code);
        Assert.Contains("✗ beacon", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_programs_see_every_lie()
    {
        await using CampaignNode node = await DrawnAsync(beacon: false);
        string proof = await node.ReadAsync("campaigns/prize/draw");
        string list = await node.ReadAsync("campaigns/prize/draw/requests");
        string shown = proof;
        string listed = list;
        await using FakeNode liar = await FakeNode.StartAsync(context =>
            context.Response.WriteAsync(context.Request.Path.Value!.EndsWith("/requests", StringComparison.Ordinal) ? listed : shown));
        string address = $"{liar.Url}/campaigns/prize";
        Assert.Equal((0, 0), await CodesAsync(address));

        string[] lines = list.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string other = lines[0][..^1] + (lines[0][^1] == '0' ? '1' : '0');
        foreach ((string what, string lie, string page) in new[]
        {
            ("one is missing", Text(lines[1..]), proof),
            ("one is another", Text([other, .. lines[1..]]), proof),
            ("one is missing, and the cut is of that list", Text(lines[1..]), With(proof, "cut", CutOf(Text(lines[1..])))),
            ("not sorted", Text(lines.Reverse()), With(proof, "cut", CutOf(Text(lines.Reverse())))),
            ("one twice", Text([lines[0], lines[0], .. lines[2..]]), With(proof, "cut", CutOf(Text([lines[0], lines[0], .. lines[2..]])))),
            ("upper case", list.ToUpperInvariant(), With(proof, "cut", CutOf(list.ToUpperInvariant()))),
            ("no last line feed", list[..^1], With(proof, "cut", CutOf(list[..^1]))),
            ("another seed", list, With(proof, "seed", new string('0', 64))),
            ("another hash of the seed", list, With(proof, "seedHash", new string('0', 64))),
        })
        {
            (listed, shown) = (lie, page);
            (int estat, int example) = await CodesAsync(address);
            Assert.Equal((what, 1, 1), (what, estat, example));
        }
    }

    [Fact]
    public async Task Before_the_draw_it_names_the_hash_to_note_and_holds_a_draw_to_it_afterwards()
    {
        await using CampaignNode node = await CampaignNode.StartAsync();
        await node.DoAsync("campaigns", "put", "prize", "--policy", "draw", "--opens-at", CampaignNode.FromNow(TimeSpan.FromMinutes(-1)),
            "--closes-at", CampaignNode.FromNow(TimeSpan.FromHours(1)), "--winners", "3");
        (int code, string output) = await node.RunAsync("draw", "verify", "prize");
        Assert.Equal(1, code);
        string noted = output.TrimEnd()[^64..];
        Assert.Contains($"\"seedHash\":\"{noted}\"", await node.ReadAsync("campaigns/prize/draw"), StringComparison.Ordinal);

        await CloseAsync(node);
        Assert.Contains("✓ seedHash", await node.DoAsync("draw", "verify", "prize", "--seed-hash", noted), StringComparison.Ordinal);
        (code, output) = await node.RunAsync("draw", "verify", "prize", "--seed-hash", new string('0', 64));
        Assert.Equal(1, code);
        Assert.Contains("✗ seedHash", output, StringComparison.Ordinal);
    }

    private static async Task<CampaignNode> DrawnAsync(bool beacon)
    {
        CampaignNode node = await CampaignNode.StartAsync();
        string[] put = ["campaigns", "put", "prize", "--policy", "draw", "--opens-at", CampaignNode.FromNow(TimeSpan.FromMinutes(-1)),
            "--closes-at", CampaignNode.FromNow(TimeSpan.FromHours(1)), "--winners", "3"];
        await node.DoAsync(beacon ? [.. put, "--beacon-chain", Chain, "--beacon-round", "77"] : put);
        await node.TakePartAsync("prize", Enumerable.Range(1, 12).Select(number => $"user-{number}"));
        await CloseAsync(node, beacon ? Beacon : null);
        return node;
    }

    private static async Task CloseAsync(CampaignNode node, string? beacon = null)
    {
        await node.DoAsync("campaigns", "close", "prize", "--yes");
        if (beacon is not null)
        {
            Assert.Contains("\"drawn\":true", await node.DoAsync("campaigns", "draw", "prize", "--beacon", beacon), StringComparison.Ordinal);
        }

        await Wait.UntilAsync(
            async () => (await node.ReadAsync("campaigns/prize")) is var campaign && campaign.Contains("\"drawn\":true", StringComparison.Ordinal)
                && campaign.Contains("\"queued\":0", StringComparison.Ordinal),
            Limit, "the draw");
    }

    private static async Task<string[]> WinnersAsync(CampaignNode node) =>
        Ids(await node.DoAsync("requests", "search", "--campaign", "prize", "--status", "SUCCEEDED"));

    private static async Task<(int Estat, int Example)> CodesAsync(string address) =>
        ((await EstatCommand.RunAsync("draw", "verify", address)).Code, (await ExampleAsync(address)).Code);

    private static async Task<(int Code, string Output)> ExampleAsync(string address)
    {
        Assert.SkipUnless(Command.Exists("python3"), "python3 is not on this machine");
        await using ChildProcess example = ChildProcess.Launch(
            "the example", ["python3", "-B", Path.Combine(Repository.Root, "examples", "draw-verify", "verify.py"), address],
            new Dictionary<string, string>());
        return (await example.WaitForExitAsync(Limit), example.AllOutput);
    }

    // What begins a line of the output, in the list's order.
    private static string[] Ids(string output) => [.. output.Split('\n').Select(line => line.Split('\t')[0].Trim())
        .Where(word => word.Length == 36 && Guid.TryParse(word, out _)).Order(StringComparer.Ordinal)];

    private static string Text(IEnumerable<string> lines) => string.Concat(lines.Select(line => line + "\n"));

    private static string CutOf(string list) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(list)));

    private static string With(string proof, string member, string value)
    {
        JsonNode changed = JsonNode.Parse(proof)!;
        changed[member] = value;
        return changed.ToJsonString();
    }
}
