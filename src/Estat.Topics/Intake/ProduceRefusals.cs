// Every refusal of a produce request: which problem it becomes, and what counts it.
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Intake;

/// <summary>Two kinds of 503: after <see cref="NotTaken"/> no message of the HTTP request is in the log; after <see cref="Perhaps"/> they may
/// be.</summary>
internal sealed class ProduceRefusals : IReadingRefusals
{
    /// <summary>The problem's type when nothing was taken.</summary>
    internal const string NotTaken = Problem.Type + ":not-taken";

    /// <summary>The problem's type when nobody knows.</summary>
    internal const string Perhaps = Problem.Perhaps;

    /// <summary>The problem's type when one line of many is wrong; its member <c>line</c> says which.</summary>
    internal const string BadLine = Problem.Type + ":bad-line";

    /// <summary>The problem's type when the log knows no <c>Idempotency-Key</c>.</summary>
    internal const string NoIdempotencyKeys = Problem.Type + ":no-idempotency";

    private static readonly Problem UnknownTopic = Problem.Of(
        StatusCodes.Status404NotFound, "There is no topic of this name. Nothing was taken. GET /api/topics lists all; the operator makes new ones "
            + "(estat topics create NAME), or sets TOPICS_AUTO_CREATE=true.");

    private static readonly Problem NoName = Problem.Of(
        StatusCodes.Status400BadRequest, $"This cannot be a topic's name. Nothing was taken. A name has {TopicName.Rule}.");

    private static readonly Problem OtherTopics = Problem.Of(
        StatusCodes.Status403Forbidden, "This write key is limited to other topics. Nothing was taken. Ask the operator of this server for another "
            + "key.");

    private static readonly Problem Coded = Problem.Of(
        StatusCodes.Status415UnsupportedMediaType, "This server does not know the body's Content-Encoding. Nothing was taken. Send gzip, br, or "
            + "none.").With("Accept-Encoding", ContentCoding.Accepted);

    private static readonly Problem Slow = Problem.Final(
        StatusCodes.Status408RequestTimeout, "The body did not arrive in time (BODY_TIMEOUT). Nothing was taken. Send it again.");

    private static readonly Problem LongKey = Problem.Of(
        StatusCodes.Status400BadRequest, $"Idempotency-Key must have 1 to {MostIdempotencyKey} characters, and come once. Nothing was taken.");

    private static readonly Problem NoKeys = Problem.Of(
        StatusCodes.Status400BadRequest, "Kafka does not know Idempotency-Key, so this server cannot keep what it promises. Nothing was taken. Send "
            + "the request without it.").Typed(NoIdempotencyKeys);

    private static readonly Problem Differs = Problem.Of(
        StatusCodes.Status422UnprocessableEntity, "This Idempotency-Key came before with another body. Nothing was taken. Use a new key for new "
            + "messages.");

    private readonly RequestCounters _requests;

    internal ProduceRefusals(TopicsOptions options, RequestCounters requests)
    {
        _requests = requests;
        Again = options.Log == LogKind.Kafka ? "Before you send them again, look: " : "Send them again with the same Idempotency-Key, or look: ";
        NoTopic = Invalid(UnknownTopic);
        BadName = Invalid(NoName);
        NotThisTopic = new Refusal(OtherTopics, requests.Forbidden);
        Encoding = Invalid(Coded);
        Timeout = new Refusal(Slow, requests.Aborted);
        BadKey = Invalid(LongKey);
        NoIdempotency = Invalid(NoKeys);
        OtherBody = Invalid(Differs);
        TooLarge = new Refusal(
            Problem.Final(
                StatusCodes.Status413PayloadTooLarge,
                $"The body may have {options.MaxBodySize} bytes (TOPICS_MAX_BODY_SIZE). Nothing was taken. Send several requests."),
            requests.TooLarge);
        NoMemory = new Refusal(
            Away("Too many bodies are being read (INFLIGHT_BYTES). Nothing was taken. Send it again in a moment."), requests.QueueFull);
        Draining = new Refusal(
            Problem.Unavailable("This node is shutting down. Nothing was taken. Send it again in a moment.", closes: true).Typed(NotTaken),
            requests.Draining);
        Busy = new Refusal(
            Away("Too many messages wait to be written. Nothing was taken. Send them again in a moment."), requests.QueueFull);
        TooManyKeys = new Refusal(
            Away("The server remembers as many Idempotency-Keys as it may (TOPICS_DEDUP_MAX). Nothing was taken. Send it again later, or without "
                + "a key."),
            requests.QueueFull);
        Failed = new Refusal(Away("The node's log failed. Nothing was taken. Send it again later."), requests.DiskFailed);
    }

    /// <summary>Most characters of an <c>Idempotency-Key</c>.</summary>
    internal const int MostIdempotencyKey = 255;

    /// <summary>404.</summary>
    internal Refusal NoTopic { get; }

    /// <summary>400: no topic can have this name.</summary>
    internal Refusal BadName { get; }

    /// <summary>403: the key is for other topics.</summary>
    internal Refusal NotThisTopic { get; }

    /// <summary>415.</summary>
    internal Refusal Encoding { get; }

    /// <summary>400: the <c>Idempotency-Key</c> is none.</summary>
    internal Refusal BadKey { get; }

    /// <summary>400: the log knows no <c>Idempotency-Key</c>.</summary>
    internal Refusal NoIdempotency { get; }

    /// <summary>413.</summary>
    internal Refusal TooLarge { get; }

    /// <summary>503: no memory for the body.</summary>
    internal Refusal NoMemory { get; }

    /// <summary>503: the node drains.</summary>
    internal Refusal Draining { get; }

    /// <inheritdoc/>
    public Refusal Timeout { get; }

    private Refusal OtherBody { get; }

    private Refusal Busy { get; }

    private Refusal TooManyKeys { get; }

    private Refusal Failed { get; }

    /// <inheritdoc/>
    public Refusal Malformed(string detail) => Invalid(Bad(detail));

    /// <summary>400: what is wrong with a body.</summary>
    internal Refusal Malformed(ProduceException error) => Invalid(
        error.Line is { } line ? Bad(error.Message).Typed(BadLine).WithMember("line", line) : Bad(error.Message));

    /// <summary>404: there is no topic of this name, and as long as the operator changes nothing, none can be made.</summary>
    internal Refusal NotMade(string why) => Invalid(Problem.Of(
        StatusCodes.Status404NotFound, $"There is no topic of this name, and the server cannot make one. {why.TrimEnd('.')}. Nothing was taken. Send "
            + "to another topic, or ask the operator of this server."));

    /// <summary>What became of a production that was not taken.</summary>
    internal Refusal Of(Produced produced) => produced.Outcome switch
    {
        ProduceOutcome.OtherBody => OtherBody,
        ProduceOutcome.NoTopic => NoTopic,
        ProduceOutcome.Busy => Busy,
        ProduceOutcome.Full => new Refusal(
            Away($"{produced.Detail ?? "The log is full."} Nothing was taken. Send it again later."), _requests.StorageFull),
        ProduceOutcome.TooManyKeys => TooManyKeys,
        ProduceOutcome.Draining => Draining,
        ProduceOutcome.Perhaps => new Refusal(
            Problem.Unavailable(
                "The node's log failed while it wrote these messages: they may be there. " + Again
                    + "GET /api/topics/{topic}/records.").Typed(Perhaps), _requests.Unknown),
        _ => Failed,
    };

    // Kafka knows no Idempotency-Key.
    private string Again { get; }

    private static Problem Bad(string detail) => Problem.Of(StatusCodes.Status400BadRequest, $"{detail} Nothing was taken.");

    private static Problem Away(string detail) => Problem.Unavailable(detail).Typed(NotTaken);

    private Refusal Invalid(Problem problem) => new(problem, _requests.Invalid);
}
