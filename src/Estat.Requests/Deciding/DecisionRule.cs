// What decides a request without asking anybody.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Deciding;

/// <summary>A decision.</summary>
/// <param name="State">SUCCEEDED or REJECTED.</param>
/// <param name="Reason">Why it was rejected.</param>
internal readonly record struct Decision(RequestState State, string? Reason = null);

/// <summary>Decides a request of a campaign of policy <c>first-come</c> or <c>draw</c>. It may be asked again for the same request, until its
/// decision is durable.</summary>
internal interface IDecisionRule
{
    /// <summary>Decides. What it throws makes this a failed attempt.</summary>
    /// <param name="settings">The campaign's settings.</param>
    /// <param name="succeeded">Places that are taken.</param>
    /// <param name="isWinner">Whether the draw chose it; of no meaning to <c>first-come</c>.</param>
    /// <param name="request">The request.</param>
    Decision Decide(CampaignSettings settings, long succeeded, bool isWinner, RequestRecord request);
}

/// <summary>The rules of both policies.</summary>
internal sealed class DecisionRule : IDecisionRule
{
    /// <inheritdoc/>
    public Decision Decide(CampaignSettings settings, long succeeded, bool isWinner, RequestRecord request) => settings.Policy switch
    {
        CampaignPolicy.FirstCome => succeeded < settings.Capacity ? new Decision(RequestState.Succeeded)
            : new Decision(RequestState.Rejected, Reasons.Full),
        CampaignPolicy.Draw => isWinner ? new Decision(RequestState.Succeeded) : new Decision(RequestState.Rejected, Reasons.NotDrawn),
        _ => throw new InvalidOperationException("an endpoint decides the requests of this campaign"),
    };
}
