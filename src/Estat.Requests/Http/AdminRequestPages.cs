// The operator's pages: campaigns, search, redrive, erase.
using System.Text.Json;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Requests.Campaigns;
using Estat.Requests.Webhooks;
using Estat.Requests.Drawing;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>The router lets only the operator through to them.</summary>
internal sealed class AdminRequestPages(
    IRequestStore store, DrawOffice draws, WebhookAddresses addresses, RequestJson json, RequestBodies bodies, TimeProvider time)
{
    private const string CampaignsPath = "/admin/campaigns";
    private const string RequestsPath = "/admin/requests";
    private const string UsersPath = "/admin/users";

    private readonly AdminSearch _search = new(store, json);

    /// <summary>The entries.</summary>
    internal IReadOnlyList<Page> All =>
    [
        new(CampaignsPath, Guarded(CampaignsAsync), IsTree: true),
        new(RequestsPath, Guarded(RequestsAsync), IsTree: true),
        new(UsersPath + "/erase", Guarded(EraseAsync)),
    ];

    private Task CampaignsAsync(HttpContext context)
    {
        string method = MethodOf(context);
        string[] path = context.Request.Path.Value![CampaignsPath.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (path, method) switch
        {
            ([], "GET") => JsonAsync(context, StatusCodes.Status200OK, RequestJson.Write(WriteAll)),
            ([], _) => Problem.NotAllowedAsync(context, "GET, HEAD"),
            ([var id], "GET") => ShowAsync(context, id),
            ([var id], "PUT") => PutAsync(context, id),
            ([_], _) => Problem.NotAllowedAsync(context, "GET, HEAD, PUT"),
            ([var id, "export"], "GET") => _search.ExportAsync(context, id),
            ([_, "export"], _) => Problem.NotAllowedAsync(context, "GET"),
            ([var id, "close"], "POST") => ChangeAsync(context, store.CloseAsync(id)),
            ([var id, "pause"], "POST") => ChangeAsync(context, store.PauseAsync(id, isPaused: true)),
            ([var id, "resume"], "POST") => ChangeAsync(context, store.PauseAsync(id, isPaused: false)),
            ([var id, "draw"], "POST") => DrawAsync(context, id),
            ([_, "close" or "pause" or "resume" or "draw"], _) => Problem.NotAllowedAsync(context, "POST"),
            _ => NoPageAsync(context),
        };
    }

    private Task RequestsAsync(HttpContext context)
    {
        string method = MethodOf(context);
        return context.Request.Path.Value switch
        {
            RequestsPath => method == "GET" ? _search.SearchAsync(context) : Problem.NotAllowedAsync(context, "GET, HEAD"),
            RequestsPath + "/redrive" => method == "POST" ? RedriveAsync(context) : Problem.NotAllowedAsync(context, "POST"),
            _ => NoPageAsync(context),
        };
    }

    private void WriteAll(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("campaigns");
        foreach (Campaign campaign in store.Campaigns.OrderByDescending(campaign => campaign.Ordinal))
        {
            CampaignJson.Write(writer, campaign);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private async Task ShowAsync(HttpContext context, string id) => await (await store.ReadCampaignAsync(id).ConfigureAwait(false) is { } campaign
        ? CampaignAsync(context, StatusCodes.Status200OK, campaign)
        : WriteAsync(context, StatusCodes.Status404NotFound, "There is no campaign of this id. GET /admin/campaigns lists them."))
        .ConfigureAwait(false);

    private async Task PutAsync(HttpContext context, string id)
    {
        if (!CampaignId.IsValid(id))
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, $"A campaign's id must be {CampaignId.Rule}.").ConfigureAwait(false);
            return;
        }

        if (!CampaignJson.TryReadVersion(context.Request.Headers, out long? expected))
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest,
                "If-Match must be the campaign's ETag, and If-None-Match must be *.").ConfigureAwait(false);
            return;
        }

        (CampaignSettings? settings, string? why) = await ReadAsync(context, CampaignJson.Read).ConfigureAwait(false);
        why ??= CampaignRules.WhyInvalid(settings!, store.FindCampaign(id), time.GetUtcNow());
        why ??= settings!.Webhook is { } webhook ? addresses.WhyRefused(webhook.Url) : null;
        if (why is not null)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, why).ConfigureAwait(false);
            return;
        }

        await ChangeAsync(context, store.PutCampaignAsync(id, settings!, expected)).ConfigureAwait(false);
    }

    private async Task DrawAsync(HttpContext context, string id)
    {
        (string? beacon, string? why) = await ReadAsync(context, CampaignJson.ReadBeacon).ConfigureAwait(false);
        if (why is not null)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, why).ConfigureAwait(false);
            return;
        }

        (DrawOutcome outcome, Campaign? campaign, string? refusal) =
            await draws.DrawAsync(id, beacon?.Length == 0 ? null : beacon, context.RequestAborted).ConfigureAwait(false);
        await (outcome switch
        {
            DrawOutcome.Drawn => JsonAsync(context, StatusCodes.Status200OK, RequestJson.OfDraw(campaign!)),
            DrawOutcome.NotFound => ShowAsync(context, id),
            _ => WriteAsync(context, StatusCodes.Status409Conflict, refusal!),
        }).ConfigureAwait(false);
    }

    private static async Task ChangeAsync(HttpContext context, Task<CampaignChange> changing)
    {
        CampaignChange change;
        try
        {
            change = await changing.ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            await FailAsync(context, error).ConfigureAwait(false);
            return;
        }

        await (change.Outcome switch
        {
            CampaignChangeOutcome.Created => CampaignAsync(context, StatusCodes.Status201Created, change.Campaign!),
            CampaignChangeOutcome.Changed => CampaignAsync(context, StatusCodes.Status200OK, change.Campaign!),
            CampaignChangeOutcome.NotFound =>
                WriteAsync(context, StatusCodes.Status404NotFound, "There is no campaign of this id. GET /admin/campaigns lists them."),
            CampaignChangeOutcome.OtherVersion => WriteAsync(
                context, StatusCodes.Status412PreconditionFailed,
                "The campaign is not as the request expects: somebody else made or changed it. Read it again, and send its ETag as If-Match."),
            _ => WriteAsync(context, StatusCodes.Status409Conflict, change.Refusal!),
        }).ConfigureAwait(false);
    }

    private async Task RedriveAsync(HttpContext context)
    {
        (RedriveOrder? order, string? why) = await ReadAsync(context, RedriveOrder.Read).ConfigureAwait(false);
        if (why is not null)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, why).ConfigureAwait(false);
            return;
        }

        try
        {
            (IReadOnlyList<RequestId> redriven, bool isMore) = await order!.RunAsync(store, context.RequestAborted).ConfigureAwait(false);
            await JsonAsync(context, StatusCodes.Status200OK, RequestJson.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteBoolean("dryRun", order.IsDryRun);
                writer.WriteNumber("redriven", redriven.Count);
                writer.WriteBoolean("more", isMore);
                writer.WriteStartArray("ids");
                foreach (RequestId id in redriven)
                {
                    writer.WriteStringValue(id.ToString());
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            })).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            await FailAsync(context, error).ConfigureAwait(false);
        }
    }

    private async Task EraseAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await Problem.NotAllowedAsync(context, "POST").ConfigureAwait(false);
            return;
        }

        (UserId? user, string? why) = await ReadAsync(context, CampaignJson.ReadUser).ConfigureAwait(false);
        if (why is not null)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, why).ConfigureAwait(false);
            return;
        }

        try
        {
            int erased = await store.EraseUserAsync(user!.Value).ConfigureAwait(false);
            await JsonAsync(context, StatusCodes.Status200OK, RequestJson.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("erased", erased);
                writer.WriteEndObject();
            })).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            await FailAsync(context, error).ConfigureAwait(false);
        }
    }

    private async Task<(T? Value, string? Why)> ReadAsync<T>(HttpContext context, Func<JsonElement, (T? Value, string? Why)> read)
    {
        using RequestBody body = bodies.Single(context);
        if (await body.ReadAsync(context, Coding.Identity).ConfigureAwait(false) != BodyOutcome.Whole)
        {
            return (default, $"The body may have at most {bodies.LargestEvent} bytes.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body.Bytes.IsEmpty ? "{}"u8.ToArray() : body.Bytes.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(document.RootElement) : (default, "The body must be a JSON object.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // half a surrogate is found when a text is read
        {
            return (default, $"The body is not valid JSON. {error.Message}");
        }
    }

    private static RequestDelegate Guarded(RequestDelegate handle) => async context =>
    {
        try
        {
            await handle(context).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            await FailAsync(context, error).ConfigureAwait(false);
        }
    };

    private static Task FailAsync(HttpContext context, StoreException error) => Problem.Unavailable(
        $"{error.Message.TrimEnd('.')}. {(error.IsUnknown ? "It may have been done: look before you try again." : "Nothing was done.")}")
        .WriteAsync(context);

    private static Task CampaignAsync(HttpContext context, int status, Campaign campaign)
    {
        context.Response.Headers.ETag = CampaignJson.TagOf(campaign);
        return JsonAsync(context, status, RequestJson.Write(writer => CampaignJson.Write(writer, campaign)));
    }

    private static Task JsonAsync(HttpContext context, int status, byte[] body)
    {
        context.Response.StatusCode = status;
        return TextAnswer.WriteAsync(context, "application/json", body);
    }

    private static Task NoPageAsync(HttpContext context) =>
        WriteAsync(context, StatusCodes.Status404NotFound, "There is no such page. docs/requests.md lists the pages.");

    private static Task WriteAsync(HttpContext context, int status, string detail) => Problem.Of(status, detail).WriteAsync(context);

    private static string MethodOf(HttpContext context) =>
        HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
}
