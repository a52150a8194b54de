// How a campaign decides.
namespace Estat.Requests.Campaigns;

/// <summary>Stored as numbers: they never change.</summary>
internal enum CampaignPolicy
{
    /// <summary>The lowest sequences get the places.</summary>
    FirstCome = 0,

    /// <summary>Chosen by a seed that was fixed before the opening, after the close.</summary>
    Draw = 1,

    /// <summary>The operator's endpoint decides each request.</summary>
    Webhook = 2,
}

/// <summary>What policies are called.</summary>
internal static class CampaignPolicies
{
    private static readonly string[] Names = ["first-come", "draw", "webhook"];

    /// <summary>All names, for messages.</summary>
    internal static string List => string.Join(", ", Names);

    /// <summary>As the API names it.</summary>
    internal static string ToText(this CampaignPolicy policy) => Names[(int)policy];

    /// <summary>The policy of a name; null when there is none.</summary>
    internal static CampaignPolicy? Parse(string? text)
    {
        int index = Array.IndexOf(Names, text);
        return index < 0 ? null : (CampaignPolicy)index;
    }
}
