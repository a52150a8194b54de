// `estat campaigns show`.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>Everything that the node says of one.</summary>
internal static class CampaignsShow
{
    internal static Command Create()
    {
        Argument<string> id = CampaignsVerb.Id();
        var json = new Option<bool>("--json") { Description = "Print the campaign as one JSON object" };
        var command = new Command("show", "Shows a campaign: its settings, its counts, its version") { id, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = CampaignDesk.Of(node, parsed, shell);
            Print(shell, await desk.CampaignAsync(parsed.GetRequiredValue(id), shell.Asked).ConfigureAwait(false), parsed.GetValue(json));
            return ExitCode.Done;
        });
    }

    /// <summary>Prints a campaign, as also its orders do.</summary>
    internal static void Print(Shell shell, CampaignAnswer campaign, bool asJson)
    {
        if (asJson)
        {
            shell.Say(JsonSerializer.Serialize(campaign, CampaignAnswersJson.Readable.CampaignAnswer));
            return;
        }

        CountsAnswer counts = campaign.Counts;
        shell.Say($"campaign  {Shell.Printable(campaign.CampaignId)}, version {campaign.Version}");
        shell.Say($"policy    {Shell.Printable(campaign.Policy)}, {CampaignText.PhaseOf(campaign, shell.Time.GetUtcNow())}");
        shell.Say($"open      {Words.Moment(campaign.OpensAt)} to "
            + ((campaign.ClosedAt ?? campaign.ClosesAt) is { } end ? Words.Moment(end) : "the operator's close"));
        shell.Say($"places    {CampaignText.PlacesOf(campaign)} taken");
        shell.Say($"requests  {Words.Count(counts.Accepted)} accepted = {Words.Count(counts.Received)} received + "
            + $"{Words.Count(counts.Queued)} queued + {Words.Count(counts.Processing)} processing + {Words.Count(counts.Succeeded)} succeeded + "
            + $"{Words.Count(counts.Rejected)} rejected + {Words.Count(counts.Failed)} failed");
        foreach ((string name, JsonElement value) in campaign.Rest ?? [])
        {
            shell.Say($"{name,-9} {Shell.Printable(value.ToString())}");
        }
    }
}
