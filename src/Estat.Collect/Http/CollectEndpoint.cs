// POST /collect: one event a request. The hot path of Estat.
using Microsoft.AspNetCore.Http;
using System.IO.Pipelines;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Threading;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>
/// A body that is already here, which nearly every one is, is encoded straight from the connection's buffer, without a state machine, a copy or an
/// allocation. What comes in pieces or compressed takes the slower way through <see cref="RequestBody"/>.
/// </summary>
internal sealed class CollectEndpoint(
    RequestBodies bodies, IIngest ingest, Envelope envelope, Answers answers, WriteAccess? access, EstatInstruments instruments, TailHub tail,
    TimeProvider time)
{
    /// <summary>Every n-th request of a core is timed for <c>estat_ack_duration_seconds</c>; a power of two.</summary>
    private const long SampleEvery = 64;

    /// <summary>Bytes of an event that are escaped in some tens of microseconds; more would keep a thread that polls sockets.</summary>
    private const int LargestInline = 64 * 1024;

    /// <summary>Handles one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="ordinal">Its number on this core, for sampling.</param>
    internal Task HandleAsync(HttpContext context, long ordinal)
    {
        Sender? sender = null;
        if (access is not null && access.RefuseUnread(context, out sender) is { } refused)
        {
            return refused;
        }

        if (answers.RefuseUnread(context, ingest, isBatch: false, sender?.Prefix, out AckLevel level) is { } refusal)
        {
            return refusal;
        }

        long started = ordinal % SampleEvery == 0 ? time.GetTimestamp() : 0;
        PipeReader reader = context.Request.BodyReader;
        IHeaderDictionary headers = context.Request.Headers;
        if (headers.ContentEncoding.Count > 0 || Charset.IsForeign(headers.ContentType) || !BodyBuffer.TryRead(reader, out ReadResult result))
        {
            return CollectSlowlyAsync(context, sender, level, started);
        }

        if (!result.IsCompleted || !result.Buffer.IsSingleSegment)
        {
            reader.AdvanceTo(result.Buffer.Start);
            return CollectSlowlyAsync(context, sender, level, started);
        }

        if (result.Buffer.IsEmpty || result.Buffer.Length > bodies.LargestEvent)
        {
            bool isEmpty = result.Buffer.IsEmpty;
            reader.AdvanceTo(result.Buffer.End);
            return isEmpty ? answers.EmptyAsync(context) : answers.EventTooLargeAsync(context);
        }

        Charge charge = default;
        if (access is not null && access.RefuseOver(context, sender, 1, out charge) is { } over)
        {
            reader.AdvanceTo(result.Buffer.End);
            return over;
        }

        // The body is encoded before this call returns, so its memory goes back to the connection; before anybody awaits the ack, as the answer may
        // be written from then on, on another thread.
        ValueTask<Ack> accepting;
        byte[]? watched;
        try
        {
            accepting = Accept(context, result.Buffer.FirstSpan, sender?.Prefix, charge, level, out watched);
        }
        finally
        {
            reader.AdvanceTo(result.Buffer.End);
        }

        return watched is null ? WhenAcceptedAsync(context, accepting, charge, level, started)
            : WhenShownAsync(context, accepting, charge, level, started, watched);
    }

    private async Task CollectSlowlyAsync(HttpContext context, Sender? sender, AckLevel level, long started)
    {
        Coding coding = ContentCoding.Of(context.Request.Headers.ContentEncoding);
        if (coding == Coding.Unknown)
        {
            await answers.EncodingAsync(context).ConfigureAwait(false);
            return;
        }

        StringValues contentType = context.Request.Headers.ContentType;
        bool isForeign = Charset.IsForeign(contentType);
        if (isForeign && Charset.Of(contentType) is null)
        {
            await answers.CharsetAsync(context).ConfigureAwait(false);
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

        Task finishing = FinishAsync(context, outcome, body, sender, level, started);
        body.Dispose(); // what waits for its ack, or for its client to read on, must not hold memory that others need to get in
        await finishing.ConfigureAwait(false);
    }

    private Task FinishAsync(HttpContext context, BodyOutcome outcome, RequestBody body, Sender? sender, AckLevel level, long started)
    {
        Charge charge = default;
        return outcome == BodyOutcome.TooLarge ? answers.EventTooLargeAsync(context)
            : outcome != BodyOutcome.Whole ? answers.NoMemoryAsync(context, outcome)
            : body.Bytes.IsEmpty ? answers.EmptyAsync(context)
            : access?.RefuseOver(context, sender, 1, out charge) ?? TakeAsync(context, body, sender?.Prefix, charge, level, started);
    }

    private Task TakeAsync(HttpContext context, RequestBody body, string? prefix, Charge charge, AckLevel level, long started)
    {
        ValueTask<Ack> accepting = Accept(context, body.Bytes, prefix, charge, level, out byte[]? watched);
        return watched is null ? WhenAcceptedAsync(context, accepting, charge, level, started)
            : WhenShownAsync(context, accepting, charge, level, started, watched);
    }

    private ValueTask<Ack> Accept(HttpContext context, ReadOnlySpan<byte> body, string? prefix, Charge charge, AckLevel level, out byte[]? watched)
    {
        try
        {
            watched = tail.IsWatched && tail.Chooses() ? TailHub.CopyOf(envelope.Of(context, prefix), body) : null;
            return ingest.AcceptAsync(envelope.Of(context, prefix), body, level);
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }
    }

    // Apart from the usual way, so that it carries nothing for it: some hundred events a second, while somebody watches the tail.
    private async Task WhenShownAsync(HttpContext context, ValueTask<Ack> accepting, Charge charge, AckLevel level, long started, byte[] watched)
    {
        Ack ack;
        try
        {
            ack = await accepting.ConfigureAwait(false);
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }

        if (ack.IsAccepted)
        {
            tail.Offer(watched);
        }

        await AnswerAsync(context, ack, charge, level, started).ConfigureAwait(false);
    }

    private Task WhenAcceptedAsync(HttpContext context, ValueTask<Ack> accepting, Charge charge, AckLevel level, long started) =>
        accepting.IsCompletedSuccessfully ? AnswerAsync(context, accepting.Result, charge, level, started)
            : AwaitAsync(context, accepting, charge, level, started);

    private async Task AwaitAsync(HttpContext context, ValueTask<Ack> accepting, Charge charge, AckLevel level, long started)
    {
        Ack ack;
        try
        {
            ack = await accepting.ConfigureAwait(false);
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }

        await AnswerAsync(context, ack, charge, level, started).ConfigureAwait(false);
    }

    private Task AnswerAsync(HttpContext context, Ack ack, Charge charge, AckLevel level, long started)
    {
        charge.OnAnswered(ack.IsAccepted);
        if (!ack.IsAccepted)
        {
            return answers.RefuseAsync(context, ack.Admission);
        }

        Answers.Acknowledge(context, ack, level);
        if (started != 0)
        {
            instruments.OnAckSampled(time.GetElapsedTime(started));
        }

        return Task.CompletedTask;
    }
}
