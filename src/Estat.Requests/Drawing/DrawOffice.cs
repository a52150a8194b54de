// Holds draws: after the close, once.
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Drawing;

/// <summary>How an order to draw ended.</summary>
internal enum DrawOutcome
{
    /// <summary>It was held, now or before, with this beacon.</summary>
    Drawn,

    /// <summary>There is no such campaign.</summary>
    NotFound,

    /// <summary>It cannot be held; the text says why.</summary>
    Refused,
}

/// <summary>Any thread. Two at the same time come to the same result, and the store takes the first.</summary>
/// <param name="store">Where requests are.</param>
/// <param name="time">The clock.</param>
internal sealed class DrawOffice(IRequestStore store, TimeProvider time)
{
    /// <summary>Holds the draw of a campaign that has closed.</summary>
    /// <param name="campaignId">The campaign.</param>
    /// <param name="beacon">The beacon's value as lower-case hex; null without a beacon.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<(DrawOutcome Outcome, Campaign? Campaign, string? Refusal)> DrawAsync(
        string campaignId, string? beacon, CancellationToken cancellationToken)
    {
        if (await store.ReadCampaignAsync(campaignId).ConfigureAwait(false) is not { } campaign)
        {
            return (DrawOutcome.NotFound, null, null);
        }

        string? refusal = WhyNot(campaign, beacon);
        if (refusal is null && campaign.Draw is null)
        {
            IReadOnlyList<RequestId> ids = await store.ListForDrawAsync(campaign, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<RequestId> winners = Lot.Draw(ids, campaign.Settings.Capacity, campaign.Seed.Span, beacon);
            string last = winners.Count == 0 ? "" : Lot.TicketOf(winners[^1], campaign.Seed.Span, beacon);
            campaign = await store.FixDrawAsync(campaignId, new DrawResult(ids.Count, Lot.CutOf(ids), beacon, last, time.GetUtcNow()))
                .ConfigureAwait(false);
        }

        refusal ??= WhyOther(campaign, beacon);
        return refusal is null ? (DrawOutcome.Drawn, campaign, null) : (DrawOutcome.Refused, campaign, refusal);
    }

    private static string? WhyNot(Campaign campaign, string? beacon) =>
        campaign.Settings.Policy != CampaignPolicy.Draw ? "Only a campaign of policy draw has a draw."
        : campaign.ClosedAt is null ? "The campaign has not closed. The draw is held after the close."
        : campaign.Draw is not null ? WhyOther(campaign, beacon)
        : beacon is null && campaign.Settings.Beacon is { } named
            ? $"The campaign names a beacon. Send its value: {{\"beacon\":\"…\"}}, the randomness of round {named.Round} as hex."
        : beacon is not null && campaign.Settings.Beacon is null ? "The campaign names no beacon, so its draw takes none."
        : beacon is not null && !Lot.IsBeacon(beacon) ? "beacon must be 32 to 256 lower-case hex digits."
        : null;

    private static string? WhyOther(Campaign campaign, string? beacon) =>
        campaign.Draw!.Beacon == beacon ? null : "The draw was held with another beacon. Its result never changes.";
}
