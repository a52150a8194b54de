// Every answer of the collecting endpoints: which problem a refusal becomes, and where it is counted.
using Estat.Core.Ingest;
using Estat.Core.Metrics;
using Estat.Core.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Api.Http;

/// <summary>Turns outcomes into HTTP, in one place. Problems that do not depend on the request are prepared once.</summary>
internal sealed class Answers
{
    /// <summary>The ack level that was reached, or that a request asks for.</summary>
    internal const string AckHeader = "X-Estat-Ack";

    private readonly RequestCounters _requests;
    private readonly StringValues _ack;
    private readonly string _level;
    private readonly int _maxBodySize;
    private readonly int _maxBatchBodySize;
    private readonly Problem _queueFull = Problem.Unavailable("The queue is full. Try again in a moment.");
    private readonly Problem _storageFull = Problem.Unavailable("Storage does not answer and the local disk has no more room. Try again later.");
    private readonly Problem _draining = Problem.Unavailable("This node is shutting down. Send to another one, or try again in a moment.", closes: true);
    private readonly Problem _empty = Problem.Of(StatusCodes.Status400BadRequest, "The event is empty: it is the body of a POST, or what follows the ? of a GET, and needs at least one byte.");
    private readonly Problem _timeout;
    private readonly Problem _eventTooLarge;
    private readonly Problem _batchTooLarge;
    private readonly Problem _batchNeedsTooMuch;
    private readonly Problem _ackLevel;
    private readonly Problem _transferCoding = Problem.Final(
        StatusCodes.Status501NotImplemented, "Transfer-Encoding must be chunked or absent. Compress with Content-Encoding.");
    private readonly Problem _encoding = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, $"Content-Encoding must be one of {ContentCoding.Accepted}, or absent.");

    internal Answers(EstatOptions options, RequestCounters requests)
    {
        _requests = requests;
        _level = options.Ack;
        _maxBodySize = options.MaxBodySize;
        _maxBatchBodySize = options.MaxBatchBodySize;
        _ack = options.Ack;
        _timeout = Problem.Final(StatusCodes.Status408RequestTimeout, "The body did not arrive in time (BODY_TIMEOUT, or less than 240 bytes a second).");
        _eventTooLarge = Problem.Final(StatusCodes.Status413PayloadTooLarge, $"An event may have {options.MaxBodySize} bytes (MAX_BODY_SIZE).");
        _batchTooLarge = Problem.Final(
            StatusCodes.Status413PayloadTooLarge, $"A batch may have {options.MaxBatchBodySize} bytes, also decompressed (MAX_BATCH_BODY_SIZE). Split it.");
        _batchNeedsTooMuch = Problem.Of(
            StatusCodes.Status413PayloadTooLarge, $"As lines, this batch needs more than {options.InflightBytes} bytes of memory (INFLIGHT_BYTES). Split it.");
        _ackLevel = Problem.Of(StatusCodes.Status400BadRequest, $"{AckHeader} must be one of the levels that this node offers: {options.Ack}.");
    }

    /// <summary>The answer to a request that is refused by its headers alone; null when it goes on.</summary>
    /// <param name="context">The request.</param>
    /// <param name="outlook">Whether the node takes events now; first, so that a full node answers at once.</param>
    /// <param name="isBatch">Which limit holds for its length.</param>
    internal Task? RefuseUnread(HttpContext context, Admission outlook, bool isBatch) =>
        outlook != Admission.Accepted ? RefuseAsync(context, outlook)
        : context.Request.ContentLength > (isBatch ? _maxBatchBodySize : _maxBodySize) ? TooLargeAsync(context, isBatch ? _batchTooLarge : _eventTooLarge)
        : context.Request.ContentLength is null && !IsOnlyChunked(context) ? InvalidAsync(context, _transferCoding)
        : AckLevelIsOffered(context) ? null
        : InvalidAsync(context, _ackLevel);

    // Kestrel undoes chunks and no other transfer coding: what remained coded would be stored as it is.
    private static bool IsOnlyChunked(HttpContext context) =>
        context.Request.Headers.TransferEncoding is not { Count: > 0 } coding
        || (coding.Count == 1 && string.Equals(coding[0]!.Trim(), "chunked", StringComparison.OrdinalIgnoreCase));

    /// <summary>Marks the answer with the level that was reached.</summary>
    internal void Acknowledge(HttpContext context) => context.Response.Headers[AckHeader] = _ack;

    /// <summary>503, by what the node is short of.</summary>
    internal Task RefuseAsync(HttpContext context, Admission admission)
    {
        (StripedCounter counter, Problem problem) = admission switch
        {
            Admission.StorageFull => (_requests.StorageFull, _storageFull),
            Admission.Draining => (_requests.Draining, _draining),
            _ => (_requests.QueueFull, _queueFull),
        };
        counter.Increment();
        return problem.WriteAsync(context);
    }

    /// <summary>503: bodies in progress hold all the memory they may.</summary>
    internal Task NoMemoryAsync(HttpContext context) => RefuseAsync(context, Admission.QueueFull);

    internal Task EventTooLargeAsync(HttpContext context) => TooLargeAsync(context, _eventTooLarge);

    internal Task BatchTooLargeAsync(HttpContext context) => TooLargeAsync(context, _batchTooLarge);

    internal Task BatchNeedsTooMuchAsync(HttpContext context) => TooLargeAsync(context, _batchNeedsTooMuch);

    internal Task EmptyAsync(HttpContext context) => InvalidAsync(context, _empty);

    internal Task EncodingAsync(HttpContext context)
    {
        context.Response.Headers.AcceptEncoding = ContentCoding.Accepted;
        return InvalidAsync(context, _encoding);
    }

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

    // No level asked for, or the one on offer.
    private bool AckLevelIsOffered(HttpContext context)
    {
        StringValues asked = context.Request.Headers[AckHeader];
        return asked.Count == 0 || (asked.Count == 1 && string.Equals(asked[0]!.Trim(), _level, StringComparison.OrdinalIgnoreCase));
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
