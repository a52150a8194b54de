// What the pages of campaigns and requests answer, as far as the command line reads it; --json prints the rest as it came.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Estat.Cli.Campaigns;

/// <summary>What GET /admin/campaigns answers.</summary>
internal sealed record CampaignsAnswer
{
    /// <summary>The newest first.</summary>
    public required IReadOnlyList<CampaignAnswer> Campaigns { get; init; }
}

/// <summary>A campaign.</summary>
internal sealed record CampaignAnswer
{
    /// <summary>Its id.</summary>
    public required string CampaignId { get; init; }

    /// <summary>Rises with each change; the ETag.</summary>
    public long Version { get; init; }

    /// <summary>first-come, draw or webhook.</summary>
    public required string Policy { get; init; }

    /// <summary>From when requests are taken.</summary>
    public DateTimeOffset OpensAt { get; init; }

    /// <summary>From when none are taken.</summary>
    public DateTimeOffset? ClosesAt { get; init; }

    /// <summary>When it closed.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Whether its decisions are stopped.</summary>
    public bool Paused { get; init; }

    /// <summary>Places of first-come.</summary>
    public long? Capacity { get; init; }

    /// <summary>Winners of a draw.</summary>
    public long? Winners { get; init; }

    /// <summary>Whether the draw was held.</summary>
    public bool? Drawn { get; init; }

    /// <summary>Requests by state.</summary>
    public required CountsAnswer Counts { get; init; }

    /// <summary>What else the node says.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>Requests by state.</summary>
internal sealed record CountsAnswer
{
    /// <summary>The sum of the others.</summary>
    public long Accepted { get; init; }

    /// <summary>Durable, not queued yet.</summary>
    public long Received { get; init; }

    /// <summary>Waiting.</summary>
    public long Queued { get; init; }

    /// <summary>Being tried.</summary>
    public long Processing { get; init; }

    /// <summary>With a place.</summary>
    public long Succeeded { get; init; }

    /// <summary>Without, by decision.</summary>
    public long Rejected { get; init; }

    /// <summary>Dead letters.</summary>
    public long Failed { get; init; }
}

/// <summary>A page of GET /admin/requests.</summary>
internal sealed record RequestsAnswer
{
    /// <summary>By campaign and sequence.</summary>
    public required IReadOnlyList<RequestAnswer> Requests { get; init; }

    /// <summary>For the next page; null when there is none.</summary>
    public string? Cursor { get; init; }
}

/// <summary>A request.</summary>
internal sealed record RequestAnswer
{
    /// <summary>Its id.</summary>
    public required string RequestId { get; init; }

    /// <summary>Who; null once erased.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? UserId { get; init; }

    /// <summary>In which campaign.</summary>
    public string? CampaignId { get; init; }

    /// <summary>Its state.</summary>
    public required string Status { get; init; }

    /// <summary>Its number.</summary>
    public long Sequence { get; init; }

    /// <summary>How often it was tried in this generation.</summary>
    public int Attempts { get; init; }

    /// <summary>When it came.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>Why it was rejected or failed.</summary>
    public string? Reason { get; init; }

    /// <summary>What the last attempt said.</summary>
    public string? Failure { get; init; }

    /// <summary>What else the node says.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>What POST /admin/requests/redrive answers.</summary>
internal sealed record RedriveAnswer
{
    /// <summary>Whether nothing was changed.</summary>
    public bool DryRun { get; init; }

    /// <summary>How many.</summary>
    public long Redriven { get; init; }

    /// <summary>Whether there are more than one order takes.</summary>
    public bool More { get; init; }

    /// <summary>Which.</summary>
    public required IReadOnlyList<string> Ids { get; init; }
}

/// <summary>What POST /admin/users/erase answers.</summary>
internal sealed record EraseAnswer
{
    /// <summary>Requests that named the user.</summary>
    public long Erased { get; init; }
}

/// <summary>An order to redrive.</summary>
internal sealed record RedriveWish
{
    /// <summary>These.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>Or those of a campaign,</summary>
    public string? Campaign { get; init; }

    /// <summary>with this reason,</summary>
    public string? Reason { get; init; }

    /// <summary>that became final since then.</summary>
    public string? Since { get; init; }

    /// <summary>Only says which.</summary>
    public bool DryRun { get; init; }
}

/// <summary>A campaign as flags describe it.</summary>
internal sealed record CampaignWish
{
    /// <summary>first-come or draw.</summary>
    public string? Policy { get; init; }

    /// <summary>From when requests are taken.</summary>
    public string? OpensAt { get; init; }

    /// <summary>From when none are taken.</summary>
    public string? ClosesAt { get; init; }

    /// <summary>Places of first-come.</summary>
    public long? Capacity { get; init; }

    /// <summary>Winners of a draw.</summary>
    public long? Winners { get; init; }

    /// <summary>Of a draw.</summary>
    public BeaconWish? Beacon { get; init; }
}

/// <summary>A round of a drand chain.</summary>
internal sealed record BeaconWish
{
    /// <summary>The chain's hash.</summary>
    public string? Chain { get; init; }

    /// <summary>The round.</summary>
    public long? Round { get; init; }

    /// <summary>When its first round came; null without.</summary>
    public long? Genesis { get; init; }

    /// <summary>Seconds from round to round; null without.</summary>
    public long? Period { get; init; }
}

/// <summary>An order to erase.</summary>
internal sealed record EraseWish
{
    /// <summary>Whom.</summary>
    public required string UserId { get; init; }
}

/// <summary>An order to draw.</summary>
internal sealed record DrawWish
{
    /// <summary>The beacon's value; null without.</summary>
    public string? Beacon { get; init; }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CampaignsAnswer))]
[JsonSerializable(typeof(RequestsAnswer))]
[JsonSerializable(typeof(RedriveAnswer))]
[JsonSerializable(typeof(EraseAnswer))]
[JsonSerializable(typeof(RedriveWish))]
[JsonSerializable(typeof(CampaignWish))]
[JsonSerializable(typeof(EraseWish))]
[JsonSerializable(typeof(DrawWish))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class CampaignAnswersJson : JsonSerializerContext
{
    /// <summary>Texts as they are, not as escapes.</summary>
    internal static readonly CampaignAnswersJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
