// POST /collect/batch: many events a request, as NDJSON or a JSON array, also compressed.
using System.Text;
using System.Text.Json;
using Estat.Base.Threading;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>
/// The body is read whole, decoded, split and encoded apart from everybody else's events, then handed over at once: all of it is taken or none, but
/// for events that are too large by themselves. All memory on the way is charged to <c>INFLIGHT_BYTES</c>.
/// </summary>
internal sealed class BulkEndpoint(CollectOptions options, EventIntake intake, RequestCounters requests, RequestBodies bodies)
{
    /// <summary>Handles one request.</summary>
    internal async Task HandleAsync(HttpContext context)
    {
        Refusal? refusal = HttpEvents.Enter(intake, context, isBatch: true, out Entry entry);
        Coding coding = default;
        refusal ??= intake.RefuseEncoding(new HttpRequestView(context), out coding);
        if (refusal is not null)
        {
            await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        await PoolThread.Switch(); // copying megabytes must not keep a thread that polls sockets
        using var body = bodies.Batch(context, out RequestMemory memory);
        BodyOutcome outcome = await body.ReadAsync(context, coding).ConfigureAwait(false);
        await PoolThread.Switch(); // nor what splits and encodes them; reading may have gone on on such a thread
        outcome = outcome == BodyOutcome.Whole ? ReadText(context, body, out refusal) : outcome;
        if (outcome == BodyOutcome.Whole && refusal is null)
        {
            await TakeAsync(context, body, memory, entry).ConfigureAwait(false);
            return;
        }

        body.Dispose(); // an answer that nobody reads must not hold it
        refusal = outcome switch
        {
            BodyOutcome.TooLarge => intake.Refusals.BatchTooLarge,
            BodyOutcome.Whole => refusal!,
            _ => intake.Refusals.NoMemory(outcome),
        };
        await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
    }

    // What would be stored as garbage is refused, or, if its charset is known, made UTF-8. A byte order mark is surer than what Content-Type says.
    private BodyOutcome ReadText(HttpContext context, RequestBody body, out Refusal? refusal)
    {
        ReadOnlySpan<byte> start = body.Bytes[..Math.Min(body.Bytes.Length, ForeignContent.Looked)];
        (string Charset, int Length)? mark = ForeignContent.MarkOf(start);
        StringValues contentType = context.Request.Headers.ContentType;
        bool isForeign = mark is not null || (Charset.IsForeign(contentType) && !EventSplitter.HasMark(start));
        Encoding? charset = isForeign ? Charset.Of(contentType, mark) : null;
        refusal = EventSplitter.LooksLikeGzip(start)
                ? intake.Refusals.Malformed("The body is gzip, but Content-Encoding does not say so. Nothing was taken. Send Content-Encoding: gzip.")
            : isForeign ? charset is null ? intake.Refusals.Charset : null
            : ForeignContent.NameOf(start) is { } format ? intake.Refusals.Foreign(format)
            : null;
        return charset is null || refusal is not null ? BodyOutcome.Whole : body.Transcode(charset, mark?.Length ?? 0);
    }

    // All memory is given back before anything is awaited: the partition has what it takes, and a request that waits for its ack, or for its client
    // to read on, must not hold memory that others need to get in.
    private Task TakeAsync(HttpContext context, RequestBody body, RequestMemory memory, Entry entry)
    {
        LineBlock block = intake.NewBlock(entry);
        var answer = new Answer(context, new BulkAnswer(), options.MaxBodySize, requests);
        Refusal? refusal;
        Taken taken = default;
        int events = 0;
        long charged = 0;
        try
        {
            bool isJson = EventSplitter.IsJson(context.Request.ContentType, body.Bytes);
            BodyOutcome room = Encode(context, body.Bytes, isJson, block, answer.Events, memory, ref charged);
            events = block.Events;

            // What would not fit if it were alone never will: a client told to try again would do so for ever.
            refusal = room != BodyOutcome.Whole
                    ? block.BufferBytes + body.Charged > bodies.Budget ? intake.Refusals.BatchNeedsTooMuch : intake.Refusals.NoMemory(room)
                : answer.Events.Seen == 0 && !isJson ? intake.Refusals.Empty
                : events > 0 ? intake.Accept(new HttpRequestView(context), entry, block, out taken)
                : null;
        }
        catch (JsonException error)
        {
            refusal = intake.Refusals.Malformed(
                "The body is not valid JSON. Nothing was taken. If it has one event a line, send it as application/x-ndjson. "
                    + $"{error.Message}");
        }
        finally
        {
            block.Dispose();
            body.Dispose();
            memory.Return(charged);
        }

        return refusal is not null ? HttpAnswers.WriteAsync(context, refusal)
            : events > 0 ? intake.AnswerAsync(answer, taken)
            : answer.WriteAsync();
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

            intake.Add(new HttpRequestView(context), block, line);
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

    private readonly struct Answer(HttpContext context, BulkAnswer events, int maxBodySize, RequestCounters requests) : IEventAnswer
    {
        internal BulkAnswer Events => events;

        /// <summary>Without an ack: none of the events could be taken, each by itself too large.</summary>
        internal Task WriteAsync()
        {
            requests.EventsRejected.Add(events.Rejected);
            return events.WriteAsync(context, maxBodySize);
        }

        public Task AcknowledgeAsync(Acknowledgement acknowledgement)
        {
            HttpEvents.Mark(context, acknowledgement);
            return WriteAsync();
        }

        public Task RefuseAsync(Refusal refusal) => HttpAnswers.WriteAsync(context, refusal);
    }
}
