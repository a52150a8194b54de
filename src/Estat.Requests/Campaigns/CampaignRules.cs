// What the operator may say of a campaign, and what may change when: docs/requests.md, "Campaigns".
using System.Globalization;

namespace Estat.Requests.Campaigns;

/// <summary>Pure rules, shared by all stores. A text that is returned says what is wrong and what to do.</summary>
internal static class CampaignRules
{
    /// <summary>Places at most: more than there are people.</summary>
    internal const long MostPlaces = 10_000_000_000;

    /// <summary>What is wrong with settings by themselves; null when nothing is.</summary>
    /// <param name="settings">As they were sent.</param>
    /// <param name="before">The campaign as it is; null when it is to be made.</param>
    /// <param name="now">Now.</param>
    internal static string? WhyInvalid(CampaignSettings settings, Campaign? before, DateTimeOffset now)
    {
        if (settings.ClosesAt is { } end && end <= settings.OpensAt)
        {
            return "closesAt must be later than opensAt.";
        }

        if (before is null && settings.ClosesAt <= now)
        {
            return "closesAt must lie in the future.";
        }

        return settings.Policy switch
        {
            CampaignPolicy.FirstCome => WhyInvalidPlaces(settings, "capacity") ?? WhyForeign(settings),
            CampaignPolicy.Draw => WhyInvalidPlaces(settings, "winners") ?? WhyInvalidDraw(settings),
            _ => settings.Webhook is null ? "A campaign of policy webhook needs webhook.url and webhook.secrets."
                : settings.Capacity != 0 ? "A campaign of policy webhook has no capacity: the endpoint decides each request." : null,
        };
    }

    /// <summary>Why a campaign may not become this; null when it may.</summary>
    internal static string? WhyNotChanged(Campaign campaign, CampaignSettings next, DateTimeOffset now)
    {
        CampaignSettings old = campaign.Settings;
        if (next.Policy != old.Policy)
        {
            return $"The policy of a campaign never changes. Make another campaign for policy {next.Policy.ToText()}.";
        }

        if (campaign.Counts.Accepted == 0 && campaign.WindowAt(now) == CampaignWindow.NotYet)
        {
            return null;
        }

        return next.OpensAt != old.OpensAt ? "The campaign has opened, so opensAt cannot change."
            : next.Beacon != old.Beacon ? "The campaign has opened, so its beacon cannot change."
            : next.ClosesAt != old.ClosesAt ? WhyNotClosedAt(campaign, next, now)
            : WhyNotPlaces(campaign, next, now);
    }

    /// <summary>Why the operator may not close it now; null when they may.</summary>
    internal static string? WhyNotClosable(Campaign campaign, DateTimeOffset now) =>
        campaign.WindowAt(now) == CampaignWindow.NotYet ? "The campaign has not opened. Change its opensAt and closesAt instead of closing it."
            : null;

    /// <summary>Why nobody takes a request of a closed campaign back.</summary>
    internal const string ClosedForWithdrawal = "The campaign has closed, so a request cannot be withdrawn any more.";

    /// <summary>Why a request in this state is not taken back.</summary>
    internal static string WhyNotWithdrawn(RequestState state) =>
        $"The request is {state.ToText()}. Only a request that is QUEUED can be withdrawn.";

    private static string? WhyInvalidPlaces(CampaignSettings settings, string name) =>
        settings.Capacity is < 1 or > MostPlaces
            ? string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number from 1 to {MostPlaces}.")
            : null;

    private static string? WhyForeign(CampaignSettings settings) =>
        settings.Webhook is not null ? "webhook belongs to policy webhook."
        : settings.Beacon is not null ? "beacon belongs to policy draw."
        : null;

    private static string? WhyInvalidDraw(CampaignSettings settings) =>
        settings.Webhook is not null ? "webhook belongs to policy webhook."
        : settings.ClosesAt is not { } end ? "A draw needs closesAt: it is held after the close."
        : settings.Beacon is { } beacon ? WhyInvalidBeacon(beacon, end)
        : null;

    // Whoever knows the round's value before the close can add users until one of them wins.
    private static string? WhyInvalidBeacon(BeaconSettings beacon, DateTimeOffset end)
    {
        if (beacon.Genesis is null != beacon.Period is null)
        {
            return "beacon.genesis and beacon.period belong together: set both or none.";
        }

        if (BeaconChain.OfHash(beacon.Chain) is { } known && beacon.Genesis is { } genesis && known != new BeaconChain(genesis, beacon.Period!.Value))
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"This chain has genesis {known.Genesis} and period {known.Period}. Leave both away, or send these.");
        }

        return beacon.Clock is { } clock && clock.TimeOf(beacon.Round) is var time && time <= end
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"beacon.round must come after closesAt. Round {beacon.Round} comes at {Rfc3339.ToText(time)}; the first after closesAt is "
                    + $"{clock.FirstAfter(end)}.")
            : null;
    }

    private static string? WhyNotClosedAt(Campaign campaign, CampaignSettings next, DateTimeOffset now) =>
        campaign.WindowAt(now) == CampaignWindow.Closed ? "The campaign has closed, so closesAt cannot change."
        : next.ClosesAt <= now ? "closesAt must lie in the future. To close the campaign now, POST to its /close."
        : campaign.Settings.Beacon is not null && !(next.ClosesAt < campaign.Settings.ClosesAt)
            ? "The draw has a beacon, so closesAt cannot move later: the beacon's value might be known before the close."
        : WhyNotPlaces(campaign, next, now);

    private static string? WhyNotPlaces(Campaign campaign, CampaignSettings next, DateTimeOffset now)
    {
        string places = next.Policy == CampaignPolicy.Draw ? "winners" : "capacity";
        return next.Capacity == campaign.Settings.Capacity ? null
            : next.Capacity < campaign.Settings.Capacity ? $"The campaign has opened, so {places} can only grow."
            : campaign.HasTurnedAway ? $"A request was already rejected because every place was taken, so {places} cannot grow any more."
            : campaign.WindowAt(now) == CampaignWindow.Closed ? $"The campaign has closed, so {places} cannot grow any more."
            : null;
    }
}
