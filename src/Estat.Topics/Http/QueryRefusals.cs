// Every refusal of a query: which problem it becomes, and what counts it.
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Estat.Topics.Http;

/// <summary>A query changes nothing, or, as a mark of an error, may be repeated: every 503 means that it may be asked again.</summary>
/// <param name="requests">Counts them.</param>
internal sealed class QueryRefusals(RequestCounters requests) : IReadingRefusals
{
    private const string Challenge = "Bearer realm=\"estat\"";

    private static readonly Problem UnknownPath = Problem.Of(
        StatusCodes.Status404NotFound,
        "Nothing is at this path. Below /api there are messages, user-activities, metrics, metrics/aggregated, errors, topics, stats and "
        + "produce/….");

    private static readonly Problem UnknownTopic = Problem.Of(
        StatusCodes.Status404NotFound, "There is no topic of this name. GET /api/topics lists all.");

    private static readonly Problem UnknownError = Problem.Of(
        StatusCodes.Status404NotFound, "There is no error of this id. GET /api/errors lists them; TOPICS_KEEP may have ended its day.");

    private static readonly Problem Slow = Problem.Final(
        StatusCodes.Status408RequestTimeout, "The body did not arrive in time (BODY_TIMEOUT). Nothing was changed. Send it again.");

    private static readonly Problem NobodyKnown = Unauthorized(
        "Queries need a write key with \"read\":true (in X-Api-Key, or by HTTP basic), a token of the configured issuer, or the node's ADMIN_TOKEN "
        + "(Authorization: Bearer). Ask the operator of this server for one.");

    private static readonly Problem WrongToken = Unauthorized(
        "The server does not accept this token: it has expired, or is not for this server. Sign in again.");

    private static readonly Problem MayNotRead = Problem.Of(
        StatusCodes.Status403Forbidden, "This write key may send, but not read. The operator of this server can add \"read\":true to it.");

    private static readonly Problem OtherTopics = Problem.Of(
        StatusCodes.Status403Forbidden, "This write key is limited to some topics. Name one of them as ?topic=, or ask the operator of this server "
            + "for another key.");

    private static readonly Problem Guessing = Problem.Of(
        StatusCodes.Status429TooManyRequests, "Too many wrong keys or tokens came from this address. Ask again after Retry-After.");

    private static readonly Problem KeysAway = Problem.Of(
        StatusCodes.Status503ServiceUnavailable, "This server cannot verify the token now: it cannot fetch the keys of its issuer. Ask again after "
            + "Retry-After, with the same token.");

    private static readonly Problem NotSet = Problem.Unavailable(
        "This node has no database to ask: TOPICS_DATABASE is not set. Messages are in the log: GET /api/topics/{topic}/records reads them.");

    private static readonly Problem Away = Problem.Unavailable(
        "The database does not answer now. Messages are still taken and kept in the log; GET /api/topics/{topic}/records reads them. Ask again "
        + "after Retry-After. The node's log tells the operator why.");

    private static readonly Problem NoTables = Problem.Unavailable(
        "The database has not got the tables of this version. Start a node with TOPICS_MIGRATE=true, or migrate it. Then ask again.");

    private static readonly Problem Busy = Problem.Unavailable(
        "All connections for queries (TOPICS_QUERY_CONNECTIONS) are busy. Ask again after Retry-After.");

    private static readonly Problem TooSlow = Problem.Unavailable(
        "The query took longer than TOPICS_QUERY_TIMEOUT. Ask for less: a shorter time, a topic, or without count=exact.");

    private static readonly Problem LogAway = Problem.Unavailable(
        "The log cannot be read now. Ask again after Retry-After. The node's log tells the operator why.");

    private static readonly Problem TooManyWait = Problem.Unavailable(
        "Too many requests wait for messages of the log. Ask again after Retry-After, or without ?wait=.");

    private static readonly Problem TooManyRead = Problem.Unavailable(
        "Too many requests read the log now. Ask again after Retry-After, or for fewer messages with ?limit=.");

    private static readonly Problem TooLong = Problem.Final(
        StatusCodes.Status413PayloadTooLarge, "The body may have at most 4096 bytes: {\"resolved\":true}. Nothing was changed.");

    private static readonly Problem Memory = Problem.Unavailable(
        "Too many bodies are being read (INFLIGHT_BYTES). Nothing was changed. Send it again after Retry-After.");

    /// <summary>404: no path.</summary>
    internal Refusal NoPath { get; } = new(UnknownPath, requests.Invalid);

    /// <summary>404: no topic.</summary>
    internal Refusal NoTopic { get; } = new(UnknownTopic, requests.Invalid);

    /// <summary>404: no error.</summary>
    internal Refusal NoError { get; } = new(UnknownError, requests.Invalid);

    /// <summary>401: nothing was shown.</summary>
    internal Refusal Nobody { get; } = new(NobodyKnown, requests.Unauthorized);

    /// <summary>401: what was shown is no key.</summary>
    internal Refusal NoKey { get; } = new(WriteAccess.ProblemOf(KeyRefusal.Wrong), requests.Unauthorized);

    /// <summary>401: what was shown is no token.</summary>
    internal Refusal NoToken { get; } = new(WrongToken, requests.Unauthorized);

    /// <summary>403: the key only sends.</summary>
    internal Refusal OnlySends { get; } = new(MayNotRead, requests.Forbidden);

    /// <summary>403: the key is for other topics.</summary>
    internal Refusal NotThisTopic { get; } = new(OtherTopics, requests.Forbidden);

    /// <summary>403: the key is for other pages.</summary>
    internal Refusal ForeignOrigin { get; } = new(WriteAccess.ProblemOf(KeyRefusal.Origin), requests.Forbidden);

    /// <summary>503: the log cannot be read.</summary>
    internal Refusal NoLog { get; } = new(LogAway, requests.DiskFailed);

    /// <summary>503: too many wait.</summary>
    internal Refusal NoRoomToWait { get; } = new(TooManyWait, requests.QueueFull);

    /// <summary>503: too many read the log.</summary>
    internal Refusal NoRoomToRead { get; } = new(TooManyRead, requests.QueueFull);

    /// <summary>413.</summary>
    internal Refusal TooLarge { get; } = new(TooLong, requests.TooLarge);

    /// <summary>503: no memory for a body.</summary>
    internal Refusal NoMemory { get; } = new(Memory, requests.QueueFull);

    /// <inheritdoc/>
    public Refusal Timeout { get; } = new(Slow, requests.Aborted);

    /// <inheritdoc/>
    public Refusal Malformed(string detail) => new(Problem.Of(StatusCodes.Status400BadRequest, detail), requests.Invalid);

    /// <summary>401: the key holds no more.</summary>
    /// <param name="state">Why it does not.</param>
    internal Refusal KeyEnded(KeyRefusal state) => new(WriteAccess.ProblemOf(state), requests.Unauthorized);

    /// <summary>429: the address has shown too many wrong ones.</summary>
    internal Refusal TooManyWrong(TimeSpan wait) => new(Guessing, requests.RateLimited, Problem.RetryAfterOf(wait));

    /// <summary>503: nobody knows whether the token is valid.</summary>
    internal Refusal NoTokenKeys(TimeSpan wait) => new(KeysAway, requests.NoTokenKeys, Problem.RetryAfterOf(wait));

    /// <summary>503: the query has no answer.</summary>
    internal Refusal Of(QueryException error) => error.Fault switch
    {
        QueryFault.NotSet => new Refusal(NotSet, requests.DiskFailed),
        QueryFault.NoTables => new Refusal(NoTables, requests.DiskFailed),
        QueryFault.Busy => new Refusal(Busy, requests.QueueFull),
        QueryFault.TooSlow => new Refusal(TooSlow, requests.QueueFull),
        _ => new Refusal(Away, requests.DiskFailed),
    };

    private static Problem Unauthorized(string detail) =>
        Problem.Of(StatusCodes.Status401Unauthorized, detail).With(HeaderNames.WWWAuthenticate, Challenge);
}
