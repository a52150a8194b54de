// The rule, with users for whom it fails.
using Estat.Requests.Deciding;

namespace Estat.Requests.Tests.Storing;

/// <summary>Fails for users whose name begins with "bad", while it is told to.</summary>
internal sealed class TestRule : IDecisionRule
{
    private readonly DecisionRule _rule = new();

    internal bool Fails { get; set; } = true;

    public Decision Decide(CampaignSettings settings, long succeeded, bool isWinner, RequestRecord request) =>
        Fails && request.User is { } user && user.Text.StartsWith("bad", StringComparison.Ordinal)
            ? throw new InvalidOperationException($"{user} cannot be decided")
            : _rule.Decide(settings, succeeded, isWinner, request);
}
