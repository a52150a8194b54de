// What the operator says of a campaign.
namespace Estat.Requests.Campaigns;

/// <summary>Checked by <see cref="CampaignRules"/>. Times are UTC, whole milliseconds.</summary>
internal sealed record CampaignSettings
{
    /// <summary>How it decides.</summary>
    public required CampaignPolicy Policy { get; init; }

    /// <summary>From when requests are taken.</summary>
    public required DateTimeOffset OpensAt { get; init; }

    /// <summary>From when none are taken; null: until the operator closes it. A draw needs one.</summary>
    public DateTimeOffset? ClosesAt { get; init; }

    /// <summary><c>first-come</c>: places. <c>draw</c>: winners. 0 for <c>webhook</c>, which has no bound.</summary>
    public long Capacity { get; init; }

    /// <summary>The endpoint that decides; of <c>webhook</c> alone.</summary>
    public WebhookSettings? Webhook { get; init; }

    /// <summary>Randomness of others that goes into the draw; null without.</summary>
    public BeaconSettings? Beacon { get; init; }
}

/// <summary>The operator's endpoint.</summary>
/// <param name="Url">Where requests are posted.</param>
/// <param name="Secrets">One or, while they are rotated, two: each signs. Text, 16 to 128 characters.</param>
internal sealed record WebhookSettings(Uri Url, IReadOnlyList<string> Secrets)
{
    /// <summary>Calls at once.</summary>
    public int Concurrency { get; init; } = 16;
}

/// <summary>A round of a drand chain, named before the opening.</summary>
/// <param name="Chain">The chain's hash, 64 hex digits.</param>
/// <param name="Round">The round; it comes after the close.</param>
internal sealed record BeaconSettings(string Chain, long Round)
{
    /// <summary>When the chain's first round came, unix seconds; null where the operator did not say.</summary>
    public long? Genesis { get; init; }

    /// <summary>Seconds from round to round; null where the operator did not say.</summary>
    public long? Period { get; init; }

    /// <summary>When its rounds come; null if nobody knows.</summary>
    internal BeaconChain? Clock => BeaconChain.OfHash(Chain) ?? (Genesis is { } genesis && Period is { } period ? new(genesis, period) : null);
}
