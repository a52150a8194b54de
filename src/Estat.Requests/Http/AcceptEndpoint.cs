// POST /campaigns/{campaignId}/requests: one user takes part.
using System.Globalization;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;
using Estat.Requests.Intake;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>202 once the request is durable; 200 for a known one that is final.</summary>
/// <param name="intake">The rules.</param>
/// <param name="waiters">Who waits for a decision.</param>
/// <param name="bodies">How bodies are read.</param>
/// <param name="json">How requests are shown.</param>
/// <param name="refusals">The answers to what is not taken.</param>
internal sealed class AcceptEndpoint(
    RequestIntake intake, DecisionWaiters waiters, RequestBodies bodies, RequestJson json, RequestRefusals refusals)
{
    /// <summary>Handles one.</summary>
    internal async Task HandleAsync(HttpContext context, string campaignId, UserId user)
    {
        (Refusal? refusal, RequestRecord? request, Submission submission) = await intake.EnterAsync(campaignId, user).ConfigureAwait(false);
        bool isNew = false;
        if (refusal is null && request is null)
        {
            (refusal, ReadOnlyMemory<byte> content) = await ReadAsync(context).ConfigureAwait(false);
            if (refusal is not null)
            {
                request = await intake.FindAsync(submission.Id).ConfigureAwait(false); // the first body won, whatever this one is
            }
            else
            {
                (refusal, request, isNew) = await intake.AcceptAsync(submission with { Body = content }).ConfigureAwait(false);
            }
        }

        if (request is null)
        {
            await HttpAnswers.WriteAsync(context, refusal!).ConfigureAwait(false);
            return;
        }

        try
        {
            request = await Waiting.ForAsync(context, waiters, intake, request).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // It is taken: it is shown as it was then.
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.Location = $"/requests/{request.Id}";
        RequestSpan.OnFound(request);
        bool isDecided = request.State.IsFinal() && (!isNew || headers.ContainsKey(Waiting.Applied));
        if (!isDecided)
        {
            headers.RetryAfter = json.RetryAfter(request).ToString(CultureInfo.InvariantCulture);
        }

        context.Response.StatusCode = isDecided ? StatusCodes.Status200OK : StatusCodes.Status202Accepted;
        await TextAnswer.WriteAsync(context, "application/json", json.Of(request, withServerTime: true)).ConfigureAwait(false);
    }

    private async ValueTask<(Refusal? Refusal, ReadOnlyMemory<byte> Content)> ReadAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.ContentLength == 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0))
        {
            return (null, default);
        }

        if (request.ContentLength > bodies.LargestEvent)
        {
            return (refusals.TooLarge, default);
        }

        if (request.Headers.ContentEncoding.Count > 0)
        {
            return (refusals.Encoding, default);
        }

        using RequestBody body = bodies.Single(context);
        BodyOutcome outcome = await body.ReadAsync(context, Coding.Identity).ConfigureAwait(false);
        return outcome == BodyOutcome.TooLarge ? (refusals.TooLarge, default)
            : outcome != BodyOutcome.Whole ? (refusals.QueueFull, default)
            : BodyRules.WhyNotJson(body.Bytes) is { } why ? (refusals.Malformed(why), default)
            : (null, body.Bytes.ToArray());
    }
}
