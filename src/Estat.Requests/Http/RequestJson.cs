// Requests and campaigns as answers show them.
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Requests.Campaigns;
using Estat.Requests.Drawing;
using Estat.Requests.Intake;

namespace Estat.Requests.Http;

/// <summary>Writes JSON. Any thread.</summary>
/// <param name="pace">For estimates.</param>
/// <param name="campaignOf">A campaign by its number in the store.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestJson(DecisionPace pace, Func<int, Campaign?> campaignOf, TimeProvider time)
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A request, for its user.</summary>
    /// <param name="request">The request.</param>
    /// <param name="withServerTime">Whether the answer tells the server's time: of an acceptance; elsewhere each answer would be another one.</param>
    internal byte[] Of(RequestRecord request, bool withServerTime) => Write(json =>
    {
        json.WriteStartObject();
        Campaign? campaign = campaignOf(request.CampaignOrdinal);
        WriteMembers(json, request, campaign);
        if (withServerTime)
        {
            json.WriteString("serverTime", Rfc3339.ToText(time.GetUtcNow()));
        }

        json.WriteEndObject();
    });

    /// <summary>A page of a user's requests.</summary>
    internal byte[] Of(IReadOnlyList<RequestRecord> requests, string? cursor) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("requests");
        foreach (RequestRecord request in requests)
        {
            json.WriteStartObject();
            WriteMembers(json, request, campaignOf(request.CampaignOrdinal));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("cursor", cursor);
        json.WriteEndObject();
    });

    /// <summary>A campaign, for everybody.</summary>
    internal byte[] OfPublic(Campaign campaign) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("campaignId", campaign.Id);
        WriteCampaign(json, campaign);
        json.WriteString("serverTime", Rfc3339.ToText(time.GetUtcNow()));
        json.WriteEndObject();
    });

    /// <summary>The members of a beacon; when its round comes, if the chain's clock is known.</summary>
    internal static void WriteBeacon(Utf8JsonWriter json, BeaconSettings beacon)
    {
        json.WriteString("chain", beacon.Chain);
        json.WriteNumber("round", beacon.Round);
        if (beacon.Clock is { } clock)
        {
            json.WriteNumber("genesis", clock.Genesis);
            json.WriteNumber("period", clock.Period);
            json.WriteString("roundAt", Rfc3339.ToText(clock.TimeOf(beacon.Round)));
        }
    }

    /// <summary>The proof of a draw; before the draw, what is fixed of it.</summary>
    internal static byte[] OfDraw(Campaign campaign) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("campaignId", campaign.Id);
        json.WriteString("seedHash", Lot.HashOf(campaign.Seed.Span));
        json.WriteNumber("winners", campaign.Settings.Capacity);
        if (campaign.Settings.Beacon is { } beacon)
        {
            json.WriteStartObject("beacon");
            WriteBeacon(json, beacon);
            json.WriteString("value", campaign.Draw?.Beacon);
            json.WriteEndObject();
        }

        json.WriteBoolean("drawn", campaign.Draw is not null);
        if (campaign.Draw is { } draw)
        {
            json.WriteString("seed", Convert.ToHexStringLower(campaign.Seed.Span));
            json.WriteNumber("requests", draw.Count);
            json.WriteString("cut", draw.Cut);
            json.WriteString("drawnAt", Rfc3339.ToText(draw.DrawnAt));
            json.WriteString("list", $"/campaigns/{campaign.Id}/draw/requests");
        }

        json.WriteEndObject();
    });

    /// <summary>Seconds until it is worth asking again: a part of the estimate, 1 to 30, spread so that users do not come in waves.</summary>
    internal int RetryAfter(RequestRecord request)
    {
        double seconds = campaignOf(request.CampaignOrdinal) is { } campaign && PositionOf(request, campaign) is { } position
            && pace.SecondsFor(campaign, position) is { } estimate ? estimate : 2;
        const double Most = 30;
        return (int)Math.Clamp(Math.Ceiling(Math.Clamp(seconds, 1, Most) * (0.5 + Random.Shared.NextDouble())), 1, Most);
    }

    /// <summary>JSON and a line feed, so that a prompt that follows on a terminal begins on its own line.</summary>
    internal static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            write(json);
        }

        buffer.GetSpan(1)[0] = (byte)'\n';
        buffer.Advance(1);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What the operator said of a campaign and what became of it, without its id.</summary>
    internal static void WriteCampaign(Utf8JsonWriter json, Campaign campaign)
    {
        CampaignSettings settings = campaign.Settings;
        json.WriteString("policy", settings.Policy.ToText());
        json.WriteString("opensAt", Rfc3339.ToText(settings.OpensAt));
        json.WriteString("closesAt", settings.ClosesAt is { } closes ? Rfc3339.ToText(closes) : null);
        json.WriteString("closedAt", campaign.ClosedAt is { } closed ? Rfc3339.ToText(closed) : null);
        json.WriteBoolean("paused", campaign.IsPaused);
        if (settings.Policy != CampaignPolicy.Webhook)
        {
            json.WriteNumber(settings.Policy == CampaignPolicy.Draw ? "winners" : "capacity", settings.Capacity);
        }

        json.WriteStartObject("counts");
        json.WriteNumber("accepted", campaign.Counts.Accepted);
        foreach (RequestState state in RequestStates.All)
        {
            json.WriteNumber(CountName(state), campaign.Counts.In(state));
        }

        json.WriteEndObject();
        if (settings.Policy == CampaignPolicy.Draw)
        {
            json.WriteString("seedHash", Lot.HashOf(campaign.Seed.Span));
            json.WriteBoolean("drawn", campaign.Draw is not null);
        }
    }

    /// <summary>Members of a request that its user and the operator see.</summary>
    internal void WriteMembers(Utf8JsonWriter json, RequestRecord request, Campaign? campaign)
    {
        json.WriteString("requestId", request.Id.ToString());
        json.WriteString("campaignId", campaign?.Id);
        json.WriteString("status", request.State.ToText());
        json.WriteNumber("sequence", request.Sequence);
        if (campaign is not null && PositionOf(request, campaign) is { } position)
        {
            json.WriteNumber("position", position);
            if (pace.SecondsFor(campaign, position) is { } estimate)
            {
                json.WriteNumber("estimate", Math.Ceiling(estimate));
            }
        }

        if (request.Generation > 1)
        {
            json.WriteNumber("generation", request.Generation);
        }

        WriteTime(json, "receivedAt", request.Times.Received);
        WriteTime(json, "queuedAt", request.Times.Queued);
        WriteTime(json, "processingAt", request.Times.Processing);
        WriteTime(json, "finalAt", request.Times.Final);
        if (request.Reason is not null)
        {
            json.WriteString("reason", request.Reason);
        }

        if (request.Result is not null)
        {
            json.WritePropertyName("result");
            json.WriteRawValue(request.Result);
        }
    }

    /// <summary>What counts of a state are called.</summary>
    internal static string CountName(RequestState state) => state switch
    {
        RequestState.Received => "received",
        RequestState.Queued => "queued",
        RequestState.Processing => "processing",
        RequestState.Succeeded => "succeeded",
        RequestState.Rejected => "rejected",
        _ => "failed",
    };

    // An upper bound: some that stand before it may be withdrawn. In a draw there is none.
    private static long? PositionOf(RequestRecord request, Campaign campaign) =>
        request.State.IsFinal() || campaign.Settings.Policy == CampaignPolicy.Draw ? null : Math.Max(1, request.Sequence - campaign.Decided);

    private static void WriteTime(Utf8JsonWriter json, string name, long milliseconds)
    {
        if (milliseconds > 0)
        {
            json.WriteString(name, Rfc3339.ToText(milliseconds));
        }
    }
}
