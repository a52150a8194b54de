// Every refusal of the collecting doors: which problem an outcome becomes, and what counts it.
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Options;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Estat.Collect.Intake;

/// <summary>Refusals that do not depend on the request are prepared once. Making one counts nothing: that is for the door that writes it.</summary>
internal sealed class CollectRefusals : IReadingRefusals
{
    private static readonly Problem QueueFull = Problem.Unavailable("The queue is full. Try again in a moment.");
    private static readonly Problem StorageFull = Problem.Unavailable(
        "The node's disk has no room left for events that wait to be stored. Try again later.");
    private static readonly Problem DiskFailed = Problem.Unavailable(
        "This node's disk failed, so nothing was acknowledged. The events may be stored, once, or not. Send to another node, or try again "
            + "later.").Typed(Problem.Perhaps);
    private static readonly Problem Draining = Problem.Unavailable(
        "This node is shutting down. Send to another one, or try again in a moment.", closes: true);
    private static readonly Problem NoPrefix = Problem.Unavailable(
        "This node cannot serve another key prefix until it restarts, or this write key's prefix lies in the node's quarantine. Nothing was taken. "
        + "The operator can restart the node, or change the key's prefix.");
    private static readonly Problem NoReplica = Problem.Unavailable(
        "No other silo took a copy, so nothing was acknowledged. The events may be stored, once. Try again in a moment, with an "
        + "Idempotency-Key.").Typed(Problem.Perhaps);
    private static readonly Problem NoSilo = Problem.Unavailable("No silo of the cluster can be reached. Nothing was taken. Try again in a moment.");
    private static readonly Problem Unknown = Problem.Unavailable(
        "A silo failed while it took this, so nothing was acknowledged. The events may be stored, once. Try again in a moment, with an "
        + "Idempotency-Key.").Typed(Problem.Perhaps);
    private static readonly Problem NothingSent = Problem.Of(StatusCodes.Status400BadRequest,
        "The event is empty. Send at least one byte: in the body of a POST, or after the ? of a GET.");
    private static readonly Problem OverShare = Problem.Of(
        StatusCodes.Status429TooManyRequests,
        "The requests in progress from this client address hold a quarter of INFLIGHT_BYTES, the most that one address may use. Nothing was taken. "
        + "Send fewer at once, or send again in a moment.");
    private static readonly Problem OtherTransferCoding = Problem.Final(
        StatusCodes.Status501NotImplemented, "Transfer-Encoding must be chunked or absent. Compress with Content-Encoding.");
    private static readonly Problem UnknownCharset = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, "The server does not know the charset in Content-Type. Nothing was taken. Send UTF-8.");
    private static readonly Problem UnknownCoding = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, $"Content-Encoding must be one of {ContentCoding.Accepted}, or absent.")
        .With(HeaderNames.AcceptEncoding, ContentCoding.Accepted);
    private static readonly Problem TooSlow = Problem.Final(StatusCodes.Status408RequestTimeout,
        "The body did not arrive in time (BODY_TIMEOUT), stalled, or came at less than 240 bytes a second. Send it again.");

    private static readonly TimeSpan ShareRetry = TimeSpan.FromSeconds(1);

    private readonly RequestCounters _requests;
    private readonly Refusal[] _byAdmission;
    private readonly Refusal _overShare;

    /// <param name="options">Limits.</param>
    /// <param name="inflightBytes">INFLIGHT_BYTES.</param>
    /// <param name="levels">The levels that this node offers.</param>
    /// <param name="requests">What counts them.</param>
    internal CollectRefusals(CollectOptions options, long inflightBytes, IReadOnlyList<AckLevel> levels, RequestCounters requests)
    {
        _requests = requests;
        _byAdmission = [.. Enum.GetValues<Admission>().Select(Make)];
        _overShare = new Refusal(OverShare, requests.RateLimited, Problem.RetryAfterOf(ShareRetry));
        Empty = Invalid(NothingSent);
        TransferCoding = Invalid(OtherTransferCoding);
        Charset = Invalid(UnknownCharset);
        Encoding = Invalid(UnknownCoding);
        Timeout = new Refusal(TooSlow, requests.Aborted);
        EventTooLarge = new Refusal(
            Problem.Final(
                StatusCodes.Status413PayloadTooLarge,
                $"An event may have at most {options.MaxBodySize} bytes (MAX_BODY_SIZE). Make it smaller."),
            requests.TooLarge);
        BatchTooLarge = new Refusal(
            Problem.Final(
                StatusCodes.Status413PayloadTooLarge,
                $"A batch may have at most {options.MaxBatchBodySize} bytes, as sent and decompressed (MAX_BATCH_BODY_SIZE). Split it."),
            requests.TooLarge);
        BatchNeedsTooMuch = new Refusal(
            Problem.Of(
                StatusCodes.Status413PayloadTooLarge,
                $"As JSON lines, this batch needs more than {inflightBytes} bytes of memory (INFLIGHT_BYTES). Split it."),
            requests.TooLarge);
        AckLevel = Invalid(Problem.Of(
            StatusCodes.Status400BadRequest,
            $"{AckHeaders.Ack} must be one of the levels that this node offers: {string.Join(", ", levels.Select(level => level.ToText()))}."));
    }

    /// <summary>400: no event in it.</summary>
    internal Refusal Empty { get; }

    /// <summary>400: an ack level that the node does not offer, or several.</summary>
    internal Refusal AckLevel { get; }

    /// <inheritdoc/>
    public Refusal Timeout { get; }

    /// <summary>413: an event over <c>MAX_BODY_SIZE</c>.</summary>
    internal Refusal EventTooLarge { get; }

    /// <summary>413: a batch over <c>MAX_BATCH_BODY_SIZE</c>.</summary>
    internal Refusal BatchTooLarge { get; }

    /// <summary>413: a batch that would never fit into <c>INFLIGHT_BYTES</c>.</summary>
    internal Refusal BatchNeedsTooMuch { get; }

    /// <summary>415: nothing here reads this charset.</summary>
    internal Refusal Charset { get; }

    /// <summary>415: nothing here undoes this <c>Content-Encoding</c>.</summary>
    internal Refusal Encoding { get; }

    /// <summary>501: a body that was sent in more than chunks.</summary>
    internal Refusal TransferCoding { get; }

    /// <summary>503, by what the node is short of.</summary>
    /// <param name="admission">Anything but <see cref="Admission.Accepted"/>.</param>
    internal Refusal Of(Admission admission) => _byAdmission[(int)admission];

    /// <summary>503: bodies in progress hold all the memory they may; or 429: those of this client address do.</summary>
    /// <param name="outcome"><see cref="BodyOutcome.NoMemory"/> or <see cref="BodyOutcome.OverShare"/>.</param>
    internal Refusal NoMemory(BodyOutcome outcome) => outcome == BodyOutcome.NoMemory ? Of(Admission.QueueFull) : _overShare;

    /// <summary>415: a body that is recognisably no text in UTF-8.</summary>
    internal Refusal Foreign(string format) => Invalid(Problem.Of(
        StatusCodes.Status415UnsupportedMediaType,
        $"The body is {format}. Nothing was taken. Send lines or JSON in UTF-8, plain or with Content-Encoding gzip or br."));

    /// <inheritdoc/>
    public Refusal Malformed(string detail) => Invalid(Problem.Of(StatusCodes.Status400BadRequest, detail));

    private Refusal Invalid(Problem problem) => new(problem, _requests.Invalid);

    private Refusal Make(Admission admission)
    {
        (StripedCounter counter, Problem problem) = admission switch
        {
            Admission.StorageFull => (_requests.StorageFull, StorageFull),
            Admission.DiskFailed => (_requests.DiskFailed, DiskFailed),
            Admission.Draining => (_requests.Draining, Draining),
            Admission.NoReplica => (_requests.NoReplica, NoReplica),
            Admission.NoSilo => (_requests.NoSilo, NoSilo),
            Admission.NoPrefix => (_requests.NoPrefix, NoPrefix),
            Admission.Unknown => (_requests.Unknown, Unknown),
            _ => (_requests.QueueFull, QueueFull),
        };
        return new Refusal(problem, counter);
    }
}
