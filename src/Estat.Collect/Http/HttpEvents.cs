// What the three collecting paths share at Kestrel's door.
using Estat.Base.Acks;
using Estat.Collect.Intake;
using Estat.Http.Intake;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Answers a request that needs no more than headers.</summary>
/// <param name="context">The request.</param>
internal readonly struct HttpEvents(HttpContext context) : IEventAnswer
{
    /// <summary><see cref="EventIntake.Enter"/>; the answer is marked as the key says.</summary>
    internal static Refusal? Enter(EventIntake intake, HttpContext context, bool isBatch, out Entry entry)
    {
        Refusal? refusal = intake.Enter(new HttpRequestView(context), isBatch, out entry);
        HttpAnswers.Show(context, entry.Page);
        return refusal;
    }

    /// <summary>Writes what an answer to acknowledged events says, but for its body.</summary>
    internal static void Mark(HttpContext context, Acknowledgement acknowledgement)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers[AckHeaders.Ack] = acknowledgement.Level;
        headers[AckHeaders.Key] = acknowledgement.Key;
        if (acknowledgement.IsLess)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    /// <inheritdoc/>
    public Task AcknowledgeAsync(Acknowledgement acknowledgement)
    {
        Mark(context, acknowledgement);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task RefuseAsync(Refusal refusal) => HttpAnswers.WriteAsync(context, refusal);
}
