// `estat campaigns …`: what users take part in.
namespace Estat.Cli.Campaigns;

/// <summary>The verbs below it.</summary>
internal static class CampaignsVerb
{
    internal static Command Create() => new("campaigns", "Lists, makes, changes, closes and draws campaigns of a node that serves requests")
    {
        CampaignsList.Create(),
        CampaignsShow.Create(),
        CampaignsPut.Create(),
        CampaignOrders.Close(),
        CampaignOrders.Pause(),
        CampaignOrders.Resume(),
        CampaignOrders.Draw(),
        CampaignsExport.Create(),
    };

    /// <summary>The argument of all of them but the list.</summary>
    internal static Argument<string> Id() => new("campaign") { Description = "The campaign's id" };
}
