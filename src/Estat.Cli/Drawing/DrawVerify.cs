// `estat draw verify`.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Drawing;

/// <summary>Proves a draw from its public pages alone. The exit code is 1 when the proof fails.</summary>
internal sealed class DrawVerify
{
    private readonly Argument<string> _campaign = new("campaign")
        { Description = "The campaign's address, such as https://shop.example/campaigns/prize, or its id at --url" };

    private readonly Option<string?> _request = new("--request") { Description = "Say whether this request won", HelpName = "ID" };
    private readonly Option<string?> _seedHash = new("--seed-hash")
        { Description = "The seedHash that you noted before the opening; without it the published one is taken", HelpName = "HEX" };

    private readonly Option<string?> _drand = new("--drand")
        { Description = "Fetch the beacon's value from this drand node and compare, such as https://api.drand.sh", HelpName = "URL" };

    private readonly Option<bool> _winners = new("--winners") { Description = "Print the ids of the winners, one a line" };
    private readonly Option<bool> _json = new("--json") { Description = "Print the result as one JSON object, with the winners" };

    internal static Command Create() => new DrawVerify().Command();

    private Command Command()
    {
        var command = new Command("verify", "Proves a draw from its public pages: seed, list, winners")
        {
            _campaign, _request, _seedHash, _drand, _winners, _json,
        };
        var node = NodeOptions.ForEverybody(command);
        return command.Does((parsed, shell) => VerifyAsync(parsed, shell, AddressOf(parsed, node)));
    }

    private async Task<int> VerifyAsync(ParseResult parsed, Shell shell, Uri campaign)
    {
        using var draw = new PublicDraw(campaign, shell);
        DrawPage page = await draw.ReadAsync().ConfigureAwait(false);
        if (!page.Drawn)
        {
            throw new CliException($"{campaign} has not been drawn yet. Note its seedHash now, to check it afterwards: {page.SeedHash}");
        }

        var proof = new DrawProof(page, await draw.ListAsync().ConfigureAwait(false));
        if (parsed.GetValue(_seedHash) is { } noted)
        {
            bool isSame = string.Equals(noted, page.SeedHash, StringComparison.OrdinalIgnoreCase);
            proof.Add("seedHash", isSame, "it is the one that you noted", $": {noted} was noted, {page.SeedHash} is published");
        }

        if (page.Beacon is { Value: { } value } beacon && parsed.GetValue(_drand) is { } drand)
        {
            string randomness = await PublicDraw.RandomnessAsync(HttpUrl("--drand", drand), beacon, shell).ConfigureAwait(false);
            proof.Add("beacon", randomness == value, $"round {beacon.Round} is {randomness} at {drand}", $", but the proof says {value}");
        }

        Print(parsed, shell, page, proof);
        return proof.Holds ? ExitCode.Done : ExitCode.Failed;
    }

    private void Print(ParseResult parsed, Shell shell, DrawPage page, DrawProof proof)
    {
        string? request = parsed.GetValue(_request);
        if (parsed.GetValue(_json))
        {
            shell.Say(JsonLine.Of(json => Write(json, page, proof, request)));
            return;
        }

        // With --winners, standard output is theirs alone.
        Action<string> tell = parsed.GetValue(_winners) ? shell.Note : shell.Say;
        foreach (DrawCheck check in proof.Checks)
        {
            tell($"{(check.Holds ? "✓" : "✗")} {check.Name,-9} {Shell.Printable(check.Words)}");
        }

        if (page.Beacon is { } beacon && !proof.Checks.Any(check => check.Name == "beacon"))
        {
            tell($"! beacon    round {beacon.Round} of chain {Shell.Printable(beacon.Chain)}, as the operator gave it: --drand URL compares it");
        }

        if (!proof.Holds)
        {
            shell.Note("estat: the proof fails: this draw was not held as its pages say");
        }

        tell($"{Words.Count(proof.Winners.Count, "winner")} of {Words.Count(proof.Count, "request")}");
        if (request is not null)
        {
            tell($"{Shell.Printable(request)} {InWords(proof, request)}");
        }

        if (parsed.GetValue(_winners))
        {
            foreach (string winner in proof.Winners)
            {
                shell.Say(winner);
            }
        }
    }

    private static string InWords(DrawProof proof, string request) => proof.RankOf(request) switch
    {
        0 => "is not in the list",
        var rank when rank <= proof.Winners.Count => $"won: its ticket is number {Words.Count(rank)} from below",
        var rank => $"did not win: its ticket is number {Words.Count(rank)} from below",
    };

    private static void Write(Utf8JsonWriter json, DrawPage page, DrawProof proof, string? request)
    {
        json.WriteString("campaignId", page.CampaignId);
        json.WriteBoolean("holds", proof.Holds);
        json.WriteStartArray("checks");
        foreach (DrawCheck check in proof.Checks)
        {
            json.WriteStartObject();
            json.WriteString("name", check.Name);
            json.WriteBoolean("holds", check.Holds);
            json.WriteString("found", check.Words);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("requests", proof.Count);
        if (request is not null)
        {
            int rank = proof.RankOf(request);
            json.WriteStartObject("request");
            json.WriteString("requestId", request);
            json.WriteBoolean("listed", rank > 0);
            json.WriteBoolean("won", rank > 0 && rank <= proof.Winners.Count);
            json.WriteEndObject();
        }

        json.WriteStartArray("winners");
        foreach (string winner in proof.Winners)
        {
            json.WriteStringValue(winner);
        }

        json.WriteEndArray();
    }

    // What a browser shows may be given as it is: /campaigns/prize/draw, or its list.
    private Uri AddressOf(ParseResult parsed, NodeOptions node)
    {
        string given = parsed.GetRequiredValue(_campaign);
        bool isAddress = given.StartsWith("http://", StringComparison.Ordinal) || given.StartsWith("https://", StringComparison.Ordinal);
        if (isAddress && node.IsNamed(parsed))
        {
            throw CliException.Usage("the campaign has an address already: leave --url out");
        }

        return isAddress ? HttpUrl("campaign", CampaignOf(given)) : new Uri(node.Url(parsed), $"campaigns/{Uri.EscapeDataString(given)}");
    }

    private static string CampaignOf(string address)
    {
        const string Campaigns = "/campaigns/";
        int begin = address.IndexOf(Campaigns, StringComparison.Ordinal);
        int end = begin < 0 ? -1 : address.IndexOf('/', begin + Campaigns.Length);
        return end < 0 ? address : address[..end];
    }

    private static Uri HttpUrl(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? url
        : throw CliException.Usage($"{name} {text}: must be an http or https URL");
}
