// `estat campaigns list`.
using System.Text.Json;
using Estat.Cli.Frame;
using Spectre.Console;

namespace Estat.Cli.Campaigns;

/// <summary>A table on a terminal, tab-separated lines elsewhere, JSON lines with <c>--json</c>.</summary>
internal static class CampaignsList
{
    private static readonly string[] Columns = ["CAMPAIGN", "POLICY", "STATE", "OPENS", "CLOSES", "PLACES", "ACCEPTED", "OPEN", "REJECTED", "FAILED"];

    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a campaign, one a line" };
        var command = new Command("list", "Lists campaigns with their counts, the newest first") { json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = CampaignDesk.Of(node, parsed, shell);
            CampaignsAnswer answer = await desk.ReadAsync("admin/campaigns", CampaignAnswersJson.Readable.CampaignsAnswer, shell.Asked)
                .ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                foreach (CampaignAnswer campaign in answer.Campaigns)
                {
                    shell.Say(JsonSerializer.Serialize(campaign, CampaignAnswersJson.Readable.CampaignAnswer));
                }
            }
            else
            {
                shell.Rows(Columns, answer.Campaigns.Select(campaign => Row(campaign, shell.Time.GetUtcNow())));
            }

            shell.Note(answer.Campaigns.Count == 0 ? $"{desk.Description} has no campaign; estat campaigns put makes one."
                : $"{Words.Count(answer.Campaigns.Count, "campaign")}.");
            return ExitCode.Done;
        });
    }

    private static string[] Row(CampaignAnswer campaign, DateTimeOffset now) =>
    [
        campaign.CampaignId, campaign.Policy, CampaignText.PhaseOf(campaign, now), Words.Moment(campaign.OpensAt),
        (campaign.ClosedAt ?? campaign.ClosesAt) is { } end ? Words.Moment(end) : "-", CampaignText.PlacesOf(campaign),
        Words.Count(campaign.Counts.Accepted), Words.Count(CampaignText.OpenOf(campaign)), Words.Count(campaign.Counts.Rejected),
        Words.Count(campaign.Counts.Failed),
    ];
}
