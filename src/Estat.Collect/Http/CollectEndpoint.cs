// POST /collect: one event a request. The hot path of Estat.
using Microsoft.AspNetCore.Http;
using System.IO.Pipelines;
using Estat.Base.Threading;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>
/// A body that is already here, which nearly every one is, is encoded straight from the connection's buffer, without a state machine, a copy or an
/// allocation. What comes in pieces or compressed takes the slower way through <see cref="RequestBody"/>.
/// </summary>
internal sealed class CollectEndpoint(RequestBodies bodies, EventIntake intake)
{
    /// <summary>Bytes of an event that are escaped in some tens of microseconds; more would keep a thread that polls sockets.</summary>
    private const int LargestInline = 64 * 1024;

    /// <summary>Handles one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="ordinal">Its number on this core, for sampling.</param>
    internal Task HandleAsync(HttpContext context, long ordinal)
    {
        var request = new HttpRequestView(context);
        if (HttpEvents.Enter(intake, context, isBatch: false, out Entry entry) is { } refusal)
        {
            return HttpAnswers.WriteAsync(context, refusal);
        }

        long started = intake.StartTimer(ordinal);
        PipeReader reader = context.Request.BodyReader;
        if (!EventIntake.IsPlain(request) || !BodyBuffer.TryRead(reader, out ReadResult result))
        {
            return CollectSlowlyAsync(context, entry, started);
        }

        if (!result.IsCompleted || !result.Buffer.IsSingleSegment)
        {
            reader.AdvanceTo(result.Buffer.Start);
            return CollectSlowlyAsync(context, entry, started);
        }

        // The body is encoded before this call returns, so its memory goes back to the connection; before anybody awaits the ack, as the answer may
        // be written from then on, on another thread.
        Refusal? refused;
        Taken taken;
        try
        {
            refused = intake.Accept(request, entry, result.Buffer.FirstSpan, started, out taken);
        }
        finally
        {
            reader.AdvanceTo(result.Buffer.End);
        }

        return refused is null ? intake.AnswerAsync(new HttpEvents(context), taken) : HttpAnswers.WriteAsync(context, refused);
    }

    private async Task CollectSlowlyAsync(HttpContext context, Entry entry, long started)
    {
        if (intake.RefuseEncoding(new HttpRequestView(context), out Coding coding) is { } refusal)
        {
            await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        StringValues contentType = context.Request.Headers.ContentType;
        bool isForeign = Charset.IsForeign(contentType);
        if (isForeign && Charset.Of(contentType) is null)
        {
            await HttpAnswers.WriteAsync(context, intake.Refusals.Charset).ConfigureAwait(false);
            return;
        }

        using var body = bodies.Single(context);
        BodyOutcome outcome = await body.ReadAsync(context, coding).ConfigureAwait(false);
        if (body.Bytes.Length > LargestInline)
        {
            await PoolThread.Switch();
        }

        if (isForeign && outcome == BodyOutcome.Whole)
        {
            (string Charset, int Length)? mark = ForeignContent.MarkOf(body.Bytes);
            outcome = body.Transcode(Charset.Of(contentType, mark)!, mark?.Length ?? 0);
        }

        Task finishing = FinishAsync(context, outcome, body, entry, started);
        body.Dispose(); // what waits for its ack, or for its client to read on, must not hold memory that others need to get in
        await finishing.ConfigureAwait(false);
    }

    private Task FinishAsync(HttpContext context, BodyOutcome outcome, RequestBody body, Entry entry, long started)
    {
        Taken taken = default;
        Refusal? refusal = outcome == BodyOutcome.TooLarge ? intake.Refusals.EventTooLarge
            : outcome != BodyOutcome.Whole ? intake.Refusals.NoMemory(outcome)
            : intake.Accept(new HttpRequestView(context), entry, body.Bytes, started, out taken);
        return refusal is null ? intake.AnswerAsync(new HttpEvents(context), taken) : HttpAnswers.WriteAsync(context, refusal);
    }
}
