// A campaign in words.
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>As list and show have it.</summary>
internal static class CampaignText
{
    /// <summary>What it does at this moment.</summary>
    internal static string PhaseOf(CampaignAnswer campaign, DateTimeOffset now)
    {
        string phase = campaign.Drawn == true ? "drawn"
            : campaign.ClosedAt is not null || campaign.ClosesAt <= now ? "closed"
            : campaign.OpensAt > now ? "not open yet"
            : "open";
        return campaign.Paused ? $"{phase}, paused" : phase;
    }

    /// <summary>Places that are taken, of all; a webhook has none.</summary>
    internal static string PlacesOf(CampaignAnswer campaign) => (campaign.Capacity ?? campaign.Winners) is { } places
        ? $"{Words.Count(campaign.Counts.Succeeded)} of {Words.Count(places)}" : Words.Count(campaign.Counts.Succeeded);

    /// <summary>Requests that are not decided.</summary>
    internal static long OpenOf(CampaignAnswer campaign) => campaign.Counts.Received + campaign.Counts.Queued + campaign.Counts.Processing;
}
