// POST /collect/batch: many events a request, as NDJSON or a JSON array, also compressed.
using System.Text;
using System.Text.Json;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Threading;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>
/// The body is read whole, decoded, split and encoded apart from everybody else's events, then handed over at once: all of it is taken or none, but
/// for events that are too large by themselves. All memory on the way is charged to <c>INFLIGHT_BYTES</c>.
/// </summary>
internal sealed class BulkEndpoint(
    CollectOptions options, IIngest ingest, Envelope envelope, Answers answers, WriteAccess? access, RequestCounters requests, RequestBodies bodies,
    TailHub tail)
{
    /// <summary>Handles one request.</summary>
    internal async Task HandleAsync(HttpContext context)
    {
        Sender? sender = null;
        if (access?.RefuseUnread(context, out sender) is { } refused)
        {
            await refused.ConfigureAwait(false);
            return;
        }

        if (answers.RefuseUnread(context, ingest, isBatch: true, sender?.Prefix, out AckLevel level) is { } refusal)
        {
            await refusal.ConfigureAwait(false);
            return;
        }

        Coding coding = ContentCoding.Of(context.Request.Headers.ContentEncoding);
        if (coding == Coding.Unknown)
        {
            await answers.EncodingAsync(context).ConfigureAwait(false);
            return;
        }

        await PoolThread.Switch(); // copying megabytes must not keep a thread that polls sockets
        using var body = bodies.Batch(context, out RequestMemory memory);
        BodyOutcome outcome = await body.ReadAsync(context, coding).ConfigureAwait(false);
        await PoolThread.Switch(); // nor what splits and encodes them; reading may have gone on on such a thread
        Task? unreadable = null;
        outcome = outcome == BodyOutcome.Whole ? ReadText(context, body, out unreadable) : outcome;
        if (outcome == BodyOutcome.Whole && unreadable is null)
        {
            await TakeAsync(context, body, memory, sender, level).ConfigureAwait(false);
            return;
        }

        body.Dispose(); // an answer that nobody reads must not hold it
        Task answer = outcome switch
        {
            BodyOutcome.TooLarge => answers.BatchTooLargeAsync(context),
            BodyOutcome.Whole => unreadable!,
            _ => answers.NoMemoryAsync(context, outcome),
        };
        await answer.ConfigureAwait(false);
    }

    // What would be stored as garbage is refused, or, if its charset is known, made UTF-8. A byte order mark is surer than what Content-Type says.
    private BodyOutcome ReadText(HttpContext context, RequestBody body, out Task? refusal)
    {
        ReadOnlySpan<byte> start = body.Bytes[..Math.Min(body.Bytes.Length, ForeignContent.Looked)];
        (string Charset, int Length)? mark = ForeignContent.MarkOf(start);
        StringValues contentType = context.Request.Headers.ContentType;
        bool isForeign = mark is not null || (Charset.IsForeign(contentType) && !EventSplitter.HasMark(start));
        Encoding? charset = isForeign ? Charset.Of(contentType, mark) : null;
        refusal = EventSplitter.LooksLikeGzip(start)
                ? answers.MalformedAsync(
                    context, "The body is gzip, but Content-Encoding does not say so. Nothing was taken. Send Content-Encoding: gzip.")
            : isForeign ? charset is null ? answers.CharsetAsync(context) : null
            : ForeignContent.NameOf(start) is { } format ? answers.ForeignAsync(context, format)
            : null;
        return charset is null || refusal is not null ? BodyOutcome.Whole : body.Transcode(charset, mark?.Length ?? 0);
    }

    private async Task TakeAsync(HttpContext context, RequestBody body, RequestMemory memory, Sender? sender, AckLevel level)
    {
        using LineBlock block = ingest.NewBlock(sender?.Prefix);
        var answer = new BulkAnswer();
        long charged = 0;
        try
        {
            bool isJson = EventSplitter.IsJson(context.Request.ContentType, body.Bytes);
            BodyOutcome room = Encode(context, body.Bytes, isJson, block, answer, memory, ref charged);
            if (room != BodyOutcome.Whole)
            {
                // What would not fit if it were alone never will: a client told to try again would do so for ever.
                bool neverFits = block.BufferBytes + body.Charged > bodies.Budget;
                Free();
                await (neverFits ? answers.BatchNeedsTooMuchAsync(context) : answers.NoMemoryAsync(context, room)).ConfigureAwait(false);
                return;
            }

            if (answer.Seen == 0 && !isJson)
            {
                Free();
                await answers.EmptyAsync(context).ConfigureAwait(false);
                return;
            }

            int events = block.Events;
            Charge charge = default;
            if (events > 0 && access?.RefuseOver(context, sender, events, out charge) is { } over)
            {
                Free();
                await over.ConfigureAwait(false);
                return;
            }

            IReadOnlyList<byte[]>? watched;
            Ack? ack;
            try
            {
                watched = tail.IsWatched ? tail.TryCopy(block) : null;
                ValueTask<Ack> accepting = events > 0 ? ingest.AcceptAsync(block, level) : default;
                // The partition has what it takes; a request that waits for its ack must not hold memory that others need to get in.
                Free();
                ack = events > 0 ? await accepting.ConfigureAwait(false) : null;
            }
            catch
            {
                charge.OnAnswered(isAccepted: false);
                throw;
            }

            charge.OnAnswered(ack is { IsAccepted: true });
            Show(ack, watched);
            await AnswerAsync(context, ack, answer, level).ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            Free();
            await answers.MalformedAsync(
                context, "The body is not valid JSON. Nothing was taken. If it has one event a line, send it as application/x-ndjson. "
                    + $"{error.Message}")
                    .ConfigureAwait(false);
        }
        finally
        {
            memory.Return(charged);
        }

        void Free()
        {
            block.Dispose();
            body.Dispose();
            memory.Return(charged);
            charged = 0;
        }
    }

    private void Show(Ack? ack, IReadOnlyList<byte[]>? watched)
    {
        if (ack is { IsAccepted: true } && watched is not null)
        {
            foreach (byte[] line in watched)
            {
                tail.Offer(line);
            }
        }
    }

    private BodyOutcome Encode(
        HttpContext context, ReadOnlySpan<byte> body, bool isJson, LineBlock block, BulkAnswer answer, RequestMemory memory, ref long charged)
    {
        // The envelope is the request's, the same for all of its events but for the second. It is read again for each: a span cannot be kept in a
        // closure.
        long taken = 0;
        var outcome = BodyOutcome.Whole;
        EventAction add = line =>
        {
            int index = answer.Seen++;
            if (line.Length > options.MaxBodySize)
            {
                answer.RejectTooLarge(index);
                return true;
            }

            EventHeader header = envelope.Of(context, prefix: null); // the block has it
            block.Add(header, line);
            if (block.BufferBytes > taken)
            {
                taken = memory.TryTake(block.BufferBytes - taken, out outcome) ? block.BufferBytes : taken;
            }

            return outcome == BodyOutcome.Whole;
        };
        try
        {
            if (isJson)
            {
                EventSplitter.SplitJson(body, add);
            }
            else
            {
                EventSplitter.SplitLines(body, add);
            }
        }
        finally
        {
            charged = taken;
        }

        return outcome;
    }

    // Without an ack: none of the events could be taken, each by itself too large.
    private async Task AnswerAsync(HttpContext context, Ack? ack, BulkAnswer answer, AckLevel level)
    {
        if (ack is { } known)
        {
            if (!known.IsAccepted)
            {
                await answers.RefuseAsync(context, known.Admission).ConfigureAwait(false);
                return;
            }

            Answers.Acknowledge(context, known, level);
        }

        requests.EventsRejected.Add(answer.Rejected);
        await answer.WriteAsync(context, options.MaxBodySize).ConfigureAwait(false);
    }
}
