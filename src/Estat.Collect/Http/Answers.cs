// Every answer of the collecting endpoints: which problem a refusal becomes, and where it is counted.
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>Turns outcomes into HTTP, in one place. Problems that do not depend on the request are prepared once.</summary>
internal sealed class Answers
{
    private static readonly StringValues[] LevelNames = [.. AckLevels.All.Select(level => new StringValues(level.ToText()))];

    private static readonly TimeSpan ShareRetry = TimeSpan.FromSeconds(1);

    private readonly RequestCounters _requests;
    private readonly IReadOnlyList<AckLevel> _levels;
    private readonly AckLevel _level;
    private readonly int _maxBodySize;
    private readonly int _maxBatchBodySize;
    // "may be stored" is part of the contract: the command line counts such events as uncertain.
    private readonly Problem _queueFull = Problem.Unavailable("The queue is full. Try again in a moment.");
    private readonly Problem _storageFull = Problem.Unavailable(
        "The node's disk has no room left for events that wait to be stored. Try again later.");
    private readonly Problem _diskFailed = Problem.Unavailable(
        "This node's disk failed, so nothing was acknowledged. The events may be stored, once, or not. Send to another node, or try again "
            + "later.");
    private readonly Problem _draining = Problem.Unavailable(
        "This node is shutting down. Send to another one, or try again in a moment.", closes: true);
    private readonly Problem _noPrefix = Problem.Unavailable(
        "This node cannot serve another key prefix until it restarts, or this write key's prefix lies in the node's quarantine. Nothing was taken. "
        + "The operator can restart the node, or change the key's prefix.");
    private readonly Problem _noReplica = Problem.Unavailable(
        "No other silo took a copy, so nothing was acknowledged. The events may be stored, once. Try again in a moment, with an "
        + "Idempotency-Key.");
    private readonly Problem _noSilo = Problem.Unavailable("No silo of the cluster can be reached. Nothing was taken. Try again in a moment.");
    private readonly Problem _unknown = Problem.Unavailable(
        "A silo failed while it took this, so nothing was acknowledged. The events may be stored, once. Try again in a moment, with an "
        + "Idempotency-Key.");
    private readonly Problem _empty = Problem.Of(StatusCodes.Status400BadRequest,
        "The event is empty. Send at least one byte: in the body of a POST, or after the ? of a GET.");
    private readonly Problem _overShare = Problem.Of(
        StatusCodes.Status429TooManyRequests,
        "The requests in progress from this client address hold a quarter of INFLIGHT_BYTES, the most that one address may use. Nothing was taken. "
        + "Send fewer at once, or send again in a moment.");
    private readonly Problem _timeout;
    private readonly Problem _eventTooLarge;
    private readonly Problem _batchTooLarge;
    private readonly Problem _batchNeedsTooMuch;
    private readonly Problem _ackLevel;
    private readonly Problem _transferCoding = Problem.Final(
        StatusCodes.Status501NotImplemented, "Transfer-Encoding must be chunked or absent. Compress with Content-Encoding.");
    private readonly Problem _charset = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, "The server does not know the charset in Content-Type. Nothing was taken. Send UTF-8.");
    private readonly Problem _encoding = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, $"Content-Encoding must be one of {ContentCoding.Accepted}, or absent.");

    /// <param name="options">Limits and the level of requests that name none.</param>
    /// <param name="inflightBytes">INFLIGHT_BYTES.</param>
    /// <param name="levels">The levels that this node offers.</param>
    /// <param name="requests">What is counted.</param>
    internal Answers(CollectOptions options, long inflightBytes, IReadOnlyList<AckLevel> levels, RequestCounters requests)
    {
        _requests = requests;
        _levels = levels;
        _level = options.Ack;
        _maxBodySize = options.MaxBodySize;
        _maxBatchBodySize = options.MaxBatchBodySize;
        _timeout = Problem.Final(StatusCodes.Status408RequestTimeout,
            "The body did not arrive in time (BODY_TIMEOUT), stalled, or came at less than 240 bytes a second. Send it again.");
        _eventTooLarge = Problem.Final(StatusCodes.Status413PayloadTooLarge,
            $"An event may have at most {options.MaxBodySize} bytes (MAX_BODY_SIZE). Make it smaller.");
        _batchTooLarge = Problem.Final(
            StatusCodes.Status413PayloadTooLarge,
            $"A batch may have at most {options.MaxBatchBodySize} bytes, as sent and decompressed (MAX_BATCH_BODY_SIZE). Split it.");
        _batchNeedsTooMuch = Problem.Of(
            StatusCodes.Status413PayloadTooLarge,
            $"As JSON lines, this batch needs more than {inflightBytes} bytes of memory (INFLIGHT_BYTES). Split it.");
        _ackLevel = Problem.Of(StatusCodes.Status400BadRequest,
            $"{AckHeaders.Ack} must be one of the levels that this node offers: {string.Join(", ", levels.Select(level => level.ToText()))}.");
    }

    /// <summary>The answer to a request that is refused by its headers alone; null when it goes on.</summary>
    /// <param name="context">The request.</param>
    /// <param name="ingest">Whether the node takes events now; asked first, so that a full node answers at once.</param>
    /// <param name="isBatch">Which limit holds for its length.</param>
    /// <param name="prefix">Where its events would go; null is <c>RAW_PREFIX</c>.</param>
    /// <param name="level">The ack level that it asks for.</param>
    internal Task? RefuseUnread(HttpContext context, IIngest ingest, bool isBatch, string? prefix, out AckLevel level)
    {
        bool isOffered = TryReadLevel(context, out level);
        Admission outlook = ingest.Outlook(isOffered ? level : _level, prefix);
        return outlook != Admission.Accepted ? RefuseAsync(context, outlook)
            : context.Request.ContentLength > (isBatch ? _maxBatchBodySize : _maxBodySize)
                ? TooLargeAsync(context, isBatch ? _batchTooLarge : _eventTooLarge)
            : context.Request.ContentLength is null && !IsOnlyChunked(context) ? InvalidAsync(context, _transferCoding)
            : isOffered ? null
            : InvalidAsync(context, _ackLevel);
    }

    // Kestrel undoes chunks and no other transfer coding: what remained coded would be stored as it is.
    private static bool IsOnlyChunked(HttpContext context) =>
        context.Request.Headers.TransferEncoding is not { Count: > 0 } coding
        || (coding.Count == 1 && string.Equals(coding[0]!.Trim(), "chunked", StringComparison.OrdinalIgnoreCase));

    /// <summary>Marks the answer with the level that was reached: 200, or 202 when that is less than was asked for.</summary>
    internal static void Acknowledge(HttpContext context, Ack ack, AckLevel asked)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers[AckHeaders.Ack] = LevelNames[(int)ack.Level];
        headers[AckHeaders.Key] = ack.Key;
        if (ack.Level < asked)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    /// <summary>503, by what the node is short of.</summary>
    internal Task RefuseAsync(HttpContext context, Admission admission)
    {
        (StripedCounter counter, Problem problem) = admission switch
        {
            Admission.StorageFull => (_requests.StorageFull, _storageFull),
            Admission.DiskFailed => (_requests.DiskFailed, _diskFailed),
            Admission.Draining => (_requests.Draining, _draining),
            Admission.NoReplica => (_requests.NoReplica, _noReplica),
            Admission.NoSilo => (_requests.NoSilo, _noSilo),
            Admission.NoPrefix => (_requests.NoPrefix, _noPrefix),
            Admission.Unknown => (_requests.Unknown, _unknown),
            _ => (_requests.QueueFull, _queueFull),
        };
        counter.Increment();
        return problem.WriteAsync(context);
    }

    /// <summary>503: bodies in progress hold all the memory they may; or 429: those of this client address do.</summary>
    internal Task NoMemoryAsync(HttpContext context, BodyOutcome outcome)
    {
        if (outcome == BodyOutcome.NoMemory)
        {
            return RefuseAsync(context, Admission.QueueFull);
        }

        _requests.RateLimited.Increment();
        return _overShare.WriteAsync(context, ShareRetry);
    }

    internal Task EventTooLargeAsync(HttpContext context) => TooLargeAsync(context, _eventTooLarge);

    internal Task BatchTooLargeAsync(HttpContext context) => TooLargeAsync(context, _batchTooLarge);

    internal Task BatchNeedsTooMuchAsync(HttpContext context) => TooLargeAsync(context, _batchNeedsTooMuch);

    internal Task EmptyAsync(HttpContext context) => InvalidAsync(context, _empty);

    internal Task EncodingAsync(HttpContext context)
    {
        context.Response.Headers.AcceptEncoding = ContentCoding.Accepted;
        return InvalidAsync(context, _encoding);
    }

    /// <summary>415: nothing here reads this charset.</summary>
    internal Task CharsetAsync(HttpContext context) => InvalidAsync(context, _charset);

    /// <summary>415: a body that is recognisably no text in UTF-8.</summary>
    internal Task ForeignAsync(HttpContext context, string format) => InvalidAsync(context, Problem.Of(
        StatusCodes.Status415UnsupportedMediaType,
        $"The body is {format}. Nothing was taken. Send lines or JSON in UTF-8, plain or with Content-Encoding gzip or br."));

    /// <summary>400 with what was wrong.</summary>
    internal Task MalformedAsync(HttpContext context, string detail) => InvalidAsync(context, Problem.Of(StatusCodes.Status400BadRequest, detail));

    /// <summary>An answer that Kestrel decided on while the body was read.</summary>
    internal Task BadRequestAsync(HttpContext context, BadHttpRequestException error) => error.StatusCode switch
    {
        StatusCodes.Status408RequestTimeout => TimeoutAsync(context),
        _ => InvalidAsync(context, Problem.Final(error.StatusCode, error.Message)),
    };

    internal Task TimeoutAsync(HttpContext context)
    {
        _requests.Aborted.Increment();
        return _timeout.WriteAsync(context);
    }

    /// <summary>The client went away; there is nobody to answer, and nothing more to read.</summary>
    internal void GoneAway(HttpContext context)
    {
        _requests.Aborted.Increment();
        context.Abort();
    }

    // False for a level that is not offered, or several.
    private bool TryReadLevel(HttpContext context, out AckLevel level)
    {
        level = _level;
        StringValues asked = context.Request.Headers[AckHeaders.Ack];
        if (asked.Count == 0)
        {
            return true;
        }

        if (asked.Count > 1 || AckLevels.Parse(asked[0]) is not { } named || !_levels.Contains(named))
        {
            return false;
        }

        level = named;
        return true;
    }

    private Task TooLargeAsync(HttpContext context, Problem problem)
    {
        _requests.TooLarge.Increment();
        return problem.WriteAsync(context);
    }

    private Task InvalidAsync(HttpContext context, Problem problem)
    {
        _requests.Invalid.Increment();
        return problem.WriteAsync(context);
    }
}
