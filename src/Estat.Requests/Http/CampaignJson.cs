// What the operator sends of a campaign, and sees of it.
using System.Globalization;
using System.Text.Json;
using Estat.Requests.Campaigns;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>Strict: a member that nobody reads is a typing error, and is refused.</summary>
internal static class CampaignJson
{
    private const int ShortestSecret = 16;
    private const int LongestSecret = 128;
    private const int MostConcurrency = 1_000;
    private const int ChainLength = 64;

    // drand counts in seconds of 32 bits; a chain that is slower than a day is a typing error.
    private const long LatestGenesis = uint.MaxValue;
    private const long LongestPeriod = 86_400;

    private static readonly string[] Members = ["policy", "opensAt", "closesAt", "capacity", "winners", "webhook", "beacon"];

    /// <summary>Settings, or what is wrong with them.</summary>
    internal static (CampaignSettings? Settings, string? Why) Read(JsonElement body)
    {
        if (WhyUnknown(body, Members, "a campaign") is { } unknown)
        {
            return (null, unknown);
        }

        if (CampaignPolicies.Parse(TextOf(body, "policy")) is not { } policy)
        {
            return (null, $"policy must be one of {CampaignPolicies.List}.");
        }

        if (Rfc3339.Parse(TextOf(body, "opensAt")) is not { } opensAt)
        {
            return (null, "opensAt must be a time with an offset, such as 2026-12-24T10:00:00+09:00.");
        }

        DateTimeOffset? closesAt = null;
        if (Has(body, "closesAt") && (closesAt = Rfc3339.Parse(TextOf(body, "closesAt"))) is null)
        {
            return (null, "closesAt must be a time with an offset, such as 2026-12-24T10:00:00+09:00, or absent.");
        }

        string places = policy == CampaignPolicy.Draw ? "winners" : "capacity";
        string other = policy == CampaignPolicy.Draw ? "capacity" : "winners";
        if (Has(body, other))
        {
            return (null, $"A campaign of policy {policy.ToText()} has no {other}{(policy == CampaignPolicy.Webhook ? "" : $", but {places}")}.");
        }

        long capacity = 0;
        if (Has(body, places) && !(body.GetProperty(places).ValueKind == JsonValueKind.Number && body.GetProperty(places).TryGetInt64(out capacity)))
        {
            return (null, $"{places} must be a whole number.");
        }

        (WebhookSettings? webhook, string? why) = ReadWebhook(body);
        (BeaconSettings? beacon, string? whyBeacon) = ReadBeaconSettings(body);
        return (why ?? whyBeacon) is { } wrong ? (null, wrong)
            : (new CampaignSettings
            {
                Policy = policy, OpensAt = opensAt, ClosesAt = closesAt, Capacity = capacity, Webhook = webhook, Beacon = beacon,
            }, null);
    }

    /// <summary>The value of a beacon in an order to draw; empty without one.</summary>
    internal static (string? Beacon, string? Why) ReadBeacon(JsonElement body) =>
        WhyUnknown(body, ["beacon"], "an order to draw") is { } unknown ? (null, unknown)
        : !Has(body, "beacon") ? ("", null)
        : TextOf(body, "beacon") is { } beacon ? (beacon, null)
        : (null, "beacon must be a text.");

    /// <summary>The user of an order to erase.</summary>
    internal static (UserId? User, string? Why) ReadUser(JsonElement body) =>
        WhyUnknown(body, ["userId"], "an order to erase") is { } unknown ? (null, unknown)
        : TextOf(body, "userId") is { } text && UserId.Of(text) is { } user ? (user, null)
        : (null, $"userId must be a text of 1 to {UserId.Longest} bytes.");

    /// <summary>The version that a campaign must have: of If-Match, 0 of <c>If-None-Match: *</c>, null of neither.</summary>
    /// <returns>False when they cannot be read.</returns>
    internal static bool TryReadVersion(IHeaderDictionary headers, out long? version)
    {
        version = headers.IfNoneMatch.Count > 0 ? 0 : null;
        if (headers.IfNoneMatch.Count > 0)
        {
            return headers.IfNoneMatch == "*" && headers.IfMatch.Count == 0;
        }

        if (headers.IfMatch is not [{ } tag])
        {
            return headers.IfMatch.Count == 0;
        }

        if (tag.Length > 2 && tag[0] == '"' && tag[^1] == '"'
            && long.TryParse(tag.AsSpan(1, tag.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out long known))
        {
            version = known;
            return true;
        }

        return false;
    }

    /// <summary>A campaign's ETag.</summary>
    internal static string TagOf(Campaign campaign) => string.Create(CultureInfo.InvariantCulture, $"\"{campaign.Version}\"");

    /// <summary>A campaign, for the operator: its secrets are counted, not shown.</summary>
    internal static void Write(Utf8JsonWriter json, Campaign campaign)
    {
        json.WriteStartObject();
        json.WriteString("campaignId", campaign.Id);
        json.WriteNumber("version", campaign.Version);
        RequestJson.WriteCampaign(json, campaign);
        json.WriteNumber("lastSequence", campaign.LastSequence);
        json.WriteNumber("decidedUpTo", campaign.Decided);
        if (campaign.Settings.Webhook is { } webhook)
        {
            json.WriteStartObject("webhook");
            json.WriteString("url", webhook.Url.ToString());
            json.WriteNumber("secrets", webhook.Secrets.Count);
            json.WriteNumber("concurrency", webhook.Concurrency);
            json.WriteEndObject();
        }

        if (campaign.Settings.Beacon is { } beacon)
        {
            json.WriteStartObject("beacon");
            RequestJson.WriteBeacon(json, beacon);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static (WebhookSettings? Webhook, string? Why) ReadWebhook(JsonElement body)
    {
        if (!Has(body, "webhook"))
        {
            return (null, null);
        }

        JsonElement webhook = body.GetProperty("webhook");
        if (webhook.ValueKind != JsonValueKind.Object)
        {
            return (null, "webhook must be an object with url and secrets.");
        }

        if (WhyUnknown(webhook, ["url", "secrets", "concurrency"], "webhook") is { } unknown)
        {
            return (null, unknown);
        }

        if (!Uri.TryCreate(TextOf(webhook, "url"), UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http")
            || url.UserInfo.Length > 0)
        {
            return (null, "webhook.url must be an https URL without a user.");
        }

        if (!Has(webhook, "secrets") || webhook.GetProperty("secrets") is not { ValueKind: JsonValueKind.Array } secrets
            || secrets.GetArrayLength() is not (1 or 2)
            || secrets.EnumerateArray().Any(secret => secret.ValueKind != JsonValueKind.String
                || secret.GetString()!.Length is < ShortestSecret or > LongestSecret))
        {
            return (null, $"webhook.secrets must be a list of one or two texts of {ShortestSecret} to {LongestSecret} characters.");
        }

        int concurrency = 16;
        return Has(webhook, "concurrency") && !(webhook.GetProperty("concurrency").ValueKind == JsonValueKind.Number
                && webhook.GetProperty("concurrency").TryGetInt32(out concurrency) && concurrency is >= 1 and <= MostConcurrency)
            ? (null, $"webhook.concurrency must be a whole number from 1 to {MostConcurrency}.")
            : (new WebhookSettings(url, [.. secrets.EnumerateArray().Select(secret => secret.GetString()!)]) { Concurrency = concurrency }, null);
    }

    private static (BeaconSettings? Beacon, string? Why) ReadBeaconSettings(JsonElement body)
    {
        if (!Has(body, "beacon"))
        {
            return (null, null);
        }

        JsonElement beacon = body.GetProperty("beacon");
        return beacon.ValueKind != JsonValueKind.Object ? (null, "beacon must be an object with chain and round.")
            : WhyUnknown(beacon, ["chain", "round", "genesis", "period"], "beacon") is { } unknown ? (null, unknown)
            : TextOf(beacon, "chain") is not { Length: ChainLength } chain || !chain.All(char.IsAsciiHexDigitLower)
                ? (null, "beacon.chain must be the chain's hash: 64 lower-case hex digits.")
            : NumberOf(beacon, "round") is not (>= 1 and var round) ? (null, "beacon.round must be a whole number from 1.")
            : Has(beacon, "genesis") && NumberOf(beacon, "genesis") is not (>= 0 and <= LatestGenesis)
                ? (null, $"beacon.genesis must be the time of the chain's first round in unix seconds, at most {LatestGenesis}.")
            : Has(beacon, "period") && NumberOf(beacon, "period") is not (>= 1 and <= LongestPeriod)
                ? (null, $"beacon.period must be a whole number of seconds from 1 to {LongestPeriod}.")
            : (new BeaconSettings(chain, round) { Genesis = NumberOf(beacon, "genesis"), Period = NumberOf(beacon, "period") }, null);
    }

    private static long? NumberOf(JsonElement body, string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number
        : null;

    private static bool Has(JsonElement body, string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    private static string? TextOf(JsonElement body, string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? WhyUnknown(JsonElement body, string[] known, string what)
    {
        string? unknown = body.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !known.Contains(name));
        return unknown is null ? null : $"There is no \"{unknown}\" in {what}. It may have: {string.Join(", ", known)}.";
    }
}
