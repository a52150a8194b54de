// POST /collect: one event a request. The hot path of Estat.
using System.IO.Pipelines;
using Estat.Api.Http;
using Estat.Core.Ingest;
using Estat.Core.Metrics;
using Estat.Core.Options;

namespace Estat.Api.Collecting;

/// <summary>
/// A body that is already here, which nearly every one is, is encoded straight from the connection's buffer, without a state machine, a copy or an
/// allocation. What comes in pieces or compressed takes the slower way through <see cref="BodyBuffer"/>.
/// </summary>
internal sealed class CollectEndpoint(EstatOptions options, IIngest ingest, Envelope envelope, Answers answers, EstatInstruments instruments)
{
    /// <summary>Every n-th request of a core is timed for <c>estat_ack_duration_seconds</c>; a power of two.</summary>
    private const long SampleEvery = 64;

    /// <summary>Handles one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="ordinal">Its number on this core, for sampling.</param>
    internal Task HandleAsync(HttpContext context, long ordinal)
    {
        Admission outlook = ingest.Outlook;
        if (outlook != Admission.Accepted)
        {
            return answers.RefuseAsync(context, outlook);
        }

        if (context.Request.ContentLength > options.MaxBodySize)
        {
            return answers.EventTooLargeAsync(context);
        }

        if (!answers.AckLevelIsOffered(context))
        {
            return answers.AckLevelAsync(context);
        }

        long started = ordinal % SampleEvery == 0 ? TimeProvider.System.GetTimestamp() : 0;
        if (context.Request.Headers.ContentEncoding.Count > 0)
        {
            return CollectEncodedAsync(context, started);
        }

        PipeReader reader = context.Request.BodyReader;
        if (!reader.TryRead(out ReadResult result))
        {
            return CollectSlowlyAsync(context, started);
        }

        if (!result.IsCompleted || !result.Buffer.IsSingleSegment)
        {
            reader.AdvanceTo(result.Buffer.Start);
            return CollectSlowlyAsync(context, started);
        }

        // The body is encoded before this call returns, so its memory can go back to the connection.
        Task done = result.Buffer.IsEmpty ? answers.EmptyAsync(context)
            : result.Buffer.Length > options.MaxBodySize ? answers.EventTooLargeAsync(context)
            : AcceptAsync(context, result.Buffer.FirstSpan, started);
        reader.AdvanceTo(result.Buffer.End);
        return done;
    }

    private async Task CollectSlowlyAsync(HttpContext context, long started)
    {
        using var body = new BodyBuffer(options.MaxBodySize, budget: null);
        BodyOutcome outcome = await ReadAsync(context, body).ConfigureAwait(false);
        await FinishAsync(context, outcome, body, started).ConfigureAwait(false);
    }

    private async Task CollectEncodedAsync(HttpContext context, long started)
    {
        Coding coding = ContentCoding.Of(context.Request.Headers.ContentEncoding);
        if (coding == Coding.Unknown)
        {
            await answers.EncodingAsync(context).ConfigureAwait(false);
            return;
        }

        using var encoded = new BodyBuffer(options.MaxBodySize, budget: null);
        BodyOutcome outcome = await ReadAsync(context, encoded).ConfigureAwait(false);
        if (coding == Coding.Identity || outcome != BodyOutcome.Whole || encoded.Bytes.IsEmpty)
        {
            await FinishAsync(context, outcome, encoded, started).ConfigureAwait(false);
            return;
        }

        using var decoded = new BodyBuffer(options.MaxBodySize, budget: null);
        outcome = ContentCoding.Decode(coding, encoded.Segment, decoded);
        await FinishAsync(context, outcome, decoded, started).ConfigureAwait(false);
    }

    private async ValueTask<BodyOutcome> ReadAsync(HttpContext context, BodyBuffer body)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        timeout.CancelAfter(options.BodyTimeout);
        return await body.ReadAsync(context.Request.BodyReader, timeout.Token).ConfigureAwait(false);
    }

    private Task FinishAsync(HttpContext context, BodyOutcome outcome, BodyBuffer body, long started) =>
        outcome != BodyOutcome.Whole ? answers.EventTooLargeAsync(context)
        : body.Bytes.IsEmpty ? answers.EmptyAsync(context)
        : AcceptAsync(context, body.Bytes, started);

    private Task AcceptAsync(HttpContext context, ReadOnlySpan<byte> body, long started)
    {
        ValueTask<Ack> accepting = ingest.AcceptAsync(envelope.Of(context), body);
        return accepting.IsCompletedSuccessfully ? AnswerAsync(context, accepting.Result, started) : AwaitAsync(context, accepting, started);
    }

    private async Task AwaitAsync(HttpContext context, ValueTask<Ack> accepting, long started) =>
        await AnswerAsync(context, await accepting.ConfigureAwait(false), started).ConfigureAwait(false);

    private Task AnswerAsync(HttpContext context, Ack ack, long started)
    {
        if (!ack.IsAccepted)
        {
            return answers.RefuseAsync(context, ack.Admission);
        }

        answers.Acknowledge(context);
        if (started != 0)
        {
            instruments.OnAckSampled(TimeProvider.System.GetElapsedTime(started));
        }

        return Task.CompletedTask;
    }
}
