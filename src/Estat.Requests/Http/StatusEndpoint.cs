// GET and DELETE /requests/{requestId}, GET /me/requests: a user looks at what they have.
using System.Globalization;
using System.Security.Cryptography;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;
using Estat.Requests.Intake;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>A request is its owner's alone: to everybody else it is not there.</summary>
internal sealed class StatusEndpoint(
    IRequestStore store, RequestIntake intake, DecisionWaiters waiters, RequestJson json, RequestRefusals refusals)
{
    private const int PageLength = 50;
    private const int TagBytes = 12;

    /// <summary>Shows one; 304 to who has it already.</summary>
    internal async Task ShowAsync(HttpContext context, string id, UserId user)
    {
        if (RequestId.Parse(id) is not { } requestId || await intake.FindOwnAsync(requestId, user).ConfigureAwait(false) is not { } request)
        {
            await HttpAnswers.WriteAsync(context, refusals.NoRequest).ConfigureAwait(false);
            return;
        }

        request = await Waiting.ForAsync(context, waiters, intake, request).ConfigureAwait(false);
        RequestSpan.OnFound(request);
        byte[] body = json.Of(request, withServerTime: false);
        string tag = TagOf(body);
        IHeaderDictionary headers = context.Response.Headers;
        headers.ETag = tag;
        headers.CacheControl = "private, no-cache";
        if (!request.State.IsFinal())
        {
            headers.RetryAfter = json.RetryAfter(request).ToString(CultureInfo.InvariantCulture);
        }

        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Tag == "*" || known.Tag == tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await AnswerBody.WriteAsync(context, body).ConfigureAwait(false);
        }
    }

    /// <summary>Takes one back.</summary>
    internal async Task WithdrawAsync(HttpContext context, string id, UserId user)
    {
        if (RequestId.Parse(id) is not { } requestId || await intake.FindOwnAsync(requestId, user).ConfigureAwait(false) is not { } request)
        {
            await HttpAnswers.WriteAsync(context, refusals.NoRequest).ConfigureAwait(false);
            return;
        }

        if (intake.WhyNotWithdrawn(request, user) is { } refusal)
        {
            await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        Withdrawal withdrawal = await store.WithdrawAsync(requestId).ConfigureAwait(false);
        RequestSpan.OnFound(withdrawal.Request ?? request);
        await (withdrawal.Refusal is { } why ? HttpAnswers.WriteAsync(context, refusals.Conflict(why))
            : TextAnswer.WriteAsync(context, "application/json", json.Of(withdrawal.Request!, withServerTime: false))).ConfigureAwait(false);
    }

    /// <summary>Lists a user's own, newest first.</summary>
    internal async Task ListAsync(HttpContext context, UserId user)
    {
        string? cursor = context.Request.Query["cursor"];
        if (!TryReadCursor(cursor, out long before, out int ordinal))
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed("?cursor= must be one that this path has answered.")).ConfigureAwait(false);
            return;
        }

        // All of them: a user has one in a campaign.
        var own = new List<RequestRecord>();
        string? next = null;
        do
        {
            RequestPage page = await store.SearchAsync(new RequestFilter { User = user }, next, 200, context.RequestAborted).ConfigureAwait(false);
            own.AddRange(page.Requests);
            next = page.Cursor;
        }
        while (next is not null);
        List<RequestRecord> shown = [.. own
            .OrderByDescending(request => request.Times.Received).ThenByDescending(request => request.CampaignOrdinal)
            .Where(request => (request.Times.Received, request.CampaignOrdinal).CompareTo((before, ordinal)) < 0).Take(PageLength + 1)];
        bool isMore = shown.Count > PageLength;
        shown = isMore ? shown[..PageLength] : shown;
        await TextAnswer.WriteAsync(context, "application/json", json.Of(shown, isMore ? CursorOf(shown[^1]) : null)).ConfigureAwait(false);
    }

    private static string TagOf(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return $"\"{Convert.ToHexStringLower(hash[..TagBytes])}\"";
    }

    private static string CursorOf(RequestRecord request) =>
        string.Create(CultureInfo.InvariantCulture, $"{request.Times.Received}.{request.CampaignOrdinal}");

    private static bool TryReadCursor(string? cursor, out long before, out int ordinal)
    {
        before = long.MaxValue;
        ordinal = int.MaxValue;
        return string.IsNullOrEmpty(cursor) || (cursor.Split('.') is [{ } time, { } number]
            && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out before)
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ordinal));
    }
}
