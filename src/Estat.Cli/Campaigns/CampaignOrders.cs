// `estat campaigns close`, `pause`, `resume` and `draw`.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>One order to one campaign. Closing asks first: a campaign cannot be opened again.</summary>
internal static class CampaignOrders
{
    internal static Command Close()
    {
        Argument<string> id = CampaignsVerb.Id();
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var json = new Option<bool>("--json") { Description = "Print the campaign as one JSON object" };
        var command = new Command("close", "Closes a campaign now, for good; what was accepted is still decided") { id, yes, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string campaign = parsed.GetRequiredValue(id);
            if (!parsed.GetValue(yes) && !shell.CanAsk)
            {
                throw CliException.Usage("there is no terminal to ask on: give --yes");
            }

            if (!parsed.GetValue(yes) && !shell.Confirm($"Close {Shell.Printable(campaign)}? It cannot be opened again."))
            {
                shell.Note("Nothing was changed.");
                return ExitCode.Failed;
            }

            return await GiveAsync(node, parsed, shell, campaign, "/close", parsed.GetValue(json)).ConfigureAwait(false);
        });
    }

    internal static Command Pause() => Plain("pause", "Stops the decisions of a campaign; requests are still accepted");

    internal static Command Resume() => Plain("resume", "Goes on with the decisions of a campaign");

    internal static Command Draw()
    {
        Argument<string> id = CampaignsVerb.Id();
        var beacon = new Option<string?>("--beacon") { Description = "The randomness of the beacon's round, as lower-case hex", HelpName = "HEX" };
        var command = new Command(
            "draw", "Holds the draw of a closed campaign that names a beacon, and prints its proof as JSON; others are drawn by themselves")
        {
            id, beacon,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = CampaignDesk.Of(node, parsed, shell);
            AdminBody body = CampaignDesk.Body(new DrawWish { Beacon = parsed.GetValue(beacon) }, CampaignAnswersJson.Readable.DrawWish);
            JsonElement proof = await desk.OrderAsync(
                HttpMethod.Post, CampaignDesk.PathOf(parsed.GetRequiredValue(id), "/draw"), body, CampaignAnswersJson.Readable.JsonElement,
                shell.Asked)
                .ConfigureAwait(false);
            shell.Say(JsonSerializer.Serialize(proof, CampaignAnswersJson.Readable.JsonElement));
            return ExitCode.Done;
        });
    }

    private static Command Plain(string name, string description)
    {
        Argument<string> id = CampaignsVerb.Id();
        var json = new Option<bool>("--json") { Description = "Print the campaign as one JSON object" };
        var command = new Command(name, description) { id, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does((parsed, shell) =>
            GiveAsync(node, parsed, shell, parsed.GetRequiredValue(id), $"/{name}", parsed.GetValue(json)));
    }

    private static async Task<int> GiveAsync(NodeOptions node, ParseResult parsed, Shell shell, string campaign, string order, bool asJson)
    {
        using var desk = CampaignDesk.Of(node, parsed, shell);
        CampaignsShow.Print(
            shell,
            await desk.OrderAsync(
                HttpMethod.Post, CampaignDesk.PathOf(campaign, order), body: null, CampaignAnswersJson.Readable.CampaignAnswer, shell.Asked)
                .ConfigureAwait(false),
            asJson);
        return ExitCode.Done;
    }
}
