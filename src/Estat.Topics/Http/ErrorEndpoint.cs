// PATCH /api/errors/{id} {"resolved":true}.
using System.Text.Json;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Marks an error as resolved, or as open again; the answer is the error.</summary>
/// <param name="marks">Writes the mark.</param>
/// <param name="bodies">How the body is read.</param>
/// <param name="refusals">The answers to what cannot be done.</param>
internal sealed class ErrorEndpoint(ErrorMarks marks, RequestBodies bodies, QueryRefusals refusals)
{
    private const string Shape = "The body must be {\"resolved\":true} or {\"resolved\":false}. Nothing was changed.";

    /// <summary>Answers.</summary>
    internal async Task MarkAsync(HttpContext context, Reader reader, string id)
    {
        if (new QueryParameters(context).Fault is { } fault)
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed(fault)).ConfigureAwait(false);
            return;
        }

        if (!Guid.TryParseExact(id, "D", out Guid error))
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed("An error's id is a UUID, as GET /api/errors shows it.")).ConfigureAwait(false);
            return;
        }

        if (!reader.MayUse(BuiltInTopic.ErrorLogs))
        {
            await HttpAnswers.WriteAsync(context, refusals.NotThisTopic).ConfigureAwait(false);
            return;
        }

        (bool? isResolved, Refusal? refusal) = await ReadAsync(context).ConfigureAwait(false);
        AnswerBuffer? body = isResolved is { } mark ? await marks.MarkAsync(error, mark, context.RequestAborted).ConfigureAwait(false) : null;
        await (body is not null ? QueryAnswers.WriteAsync(context, body) : HttpAnswers.WriteAsync(context, refusal ?? refusals.NoError))
            .ConfigureAwait(false);
    }

    private async ValueTask<(bool? IsResolved, Refusal? Refusal)> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > bodies.LargestEvent)
        {
            return (null, refusals.TooLarge);
        }

        using RequestBody body = bodies.Single(context);
        BodyOutcome outcome = await body.ReadAsync(context, Coding.Identity).ConfigureAwait(false);
        return outcome switch
        {
            BodyOutcome.Whole => Parse(body.Bytes.ToArray()) is { } mark ? (mark, null) : (null, refusals.Malformed(Shape)),
            BodyOutcome.TooLarge => (null, refusals.TooLarge),
            _ => (null, refusals.NoMemory),
        };
    }

    private static bool? Parse(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root && root.EnumerateObject().ToArray() is [{ Name: "resolved" } only]
                && only.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? root.GetProperty("resolved").GetBoolean() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
