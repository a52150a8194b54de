// Every refusal of Requests: which problem it becomes, and what counts it.
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Requests.Campaigns;
using Estat.Requests.Options;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Estat.Requests.Intake;

/// <summary>Two kinds of 503: after <see cref="NotTaken"/> the request is certainly not there; after <see cref="PerhapsTaken"/> it may be, and the
/// same request again finds out, as it is accepted once.</summary>
internal sealed class RequestRefusals : IReadingRefusals
{
    /// <summary>The problem's type when it was certainly not taken.</summary>
    internal const string NotTaken = Problem.Type + ":not-taken";

    /// <summary>The problem's type when nobody knows.</summary>
    internal const string PerhapsTaken = Problem.Type + ":perhaps-taken";

    private static readonly Problem UnknownCampaign = Problem.Of(
        StatusCodes.Status404NotFound, "There is no campaign of this id. Check the URL.");

    private static readonly Problem UnknownRequest = Problem.Of(
        StatusCodes.Status404NotFound, "There is no request of this id, or it is not yours. Sign in as the user who sent it.");

    private static readonly Problem UnknownPath = Problem.Of(
        StatusCodes.Status404NotFound, "Nothing is at this path. Requests are at /campaigns/ID/requests, /requests/ID and /me/requests.");

    private static readonly Problem NotDrawn = Problem.Of(
        StatusCodes.Status404NotFound, "This campaign has no draw, or none was held yet. A draw is held after the close.");

    private static readonly Problem SameId = Problem.Of(
        StatusCodes.Status500InternalServerError, "Another user has the same request id. Nothing was taken. Report this to the operator.");

    private static readonly Problem HasClosed = Problem.Of(
        StatusCodes.Status410Gone, "The campaign has closed. Nothing was taken.");

    private static readonly Problem TooManyOfUser = Problem.Of(
        StatusCodes.Status429TooManyRequests, "This user has sent more requests a second than one user may. Nothing was taken. Send again after "
            + "Retry-After.");

    private static readonly Problem Slow = Problem.Final(
        StatusCodes.Status408RequestTimeout, "The body did not arrive in time (BODY_TIMEOUT). Nothing was taken. Send it again.");

    private static readonly Problem Coded = Problem.Final(
        StatusCodes.Status415UnsupportedMediaType, "Send the body without a Content-Encoding.");

    private static readonly Problem NobodyKnown = Problem.Of(
        StatusCodes.Status401Unauthorized, "This request does not say whose it is, or in a way that this server does not accept. Sign in again.")
        .With(HeaderNames.WWWAuthenticate, "Bearer realm=\"estat\"");

    private static readonly Problem TooManyWrongTokens = Problem.Of(
        StatusCodes.Status429TooManyRequests, "Too many wrong tokens came from this address. Nothing was taken. Send again after Retry-After. A "
            + "token that was accepted before still works.");

    private static readonly Problem KeysAway = Problem.Of(
        StatusCodes.Status503ServiceUnavailable, "This server cannot verify the token now: it cannot fetch the keys of its issuer. Nothing was "
            + "taken. Send again after Retry-After, with the same token.").Typed(NotTaken);

    private readonly RequestCounters _requests;
    private readonly Refusal[] _wrongTokens;

    internal RequestRefusals(RequestsOptions options, RequestCounters requests)
    {
        _requests = requests;
        _wrongTokens = [.. Enum.GetValues<TokenFault>().Select(fault => new Refusal(WrongToken(fault), requests.Unauthorized))];
        NoCampaign = Invalid(UnknownCampaign);
        NoRequest = Invalid(UnknownRequest);
        NoPath = Invalid(UnknownPath);
        NoDraw = Invalid(NotDrawn);
        Collision = new Refusal(SameId, requests.Unknown);
        Closed = new Refusal(HasClosed, requests.Invalid);
        Nobody = new Refusal(NobodyKnown, requests.Unauthorized);
        Encoding = Invalid(Coded);
        Timeout = new Refusal(Slow, requests.Aborted);
        TooLarge = new Refusal(
            Problem.Final(StatusCodes.Status413PayloadTooLarge,
                $"A request's body may have at most {options.MaxBodySize} bytes (REQUESTS_MAX_BODY_SIZE). Nothing was taken."), requests.TooLarge);
        QueueFull = new Refusal(
            Problem.Unavailable("Too many requests wait to be written. This one was not taken. Send it again in a moment.").Typed(NotTaken),
            requests.QueueFull);
        Draining = new Refusal(
            Problem.Unavailable("This node is shutting down. The request was not taken. Send it again in a moment.", closes: true).Typed(NotTaken),
            requests.Draining);
        Held = new Refusal(
            Problem.Unavailable("This node was restored from a backup and takes no requests before its operator resumes it. The request was not "
                + "taken. Send it again later.").Typed(NotTaken),
            requests.Draining);
        StorageFull = new Refusal(
            Problem.Unavailable("The node's disk has no room for more requests. This one was not taken. Send it again later.").Typed(NotTaken),
            requests.StorageFull);
        DiskFailed = new Refusal(
            Problem.Unavailable("The node's database failed. The request was not taken. Send it again later.").Typed(NotTaken), requests.DiskFailed);
        NotNow = new Refusal(
            Problem.Unavailable("The node's database failed, so nobody can tell at the moment. What was taken is safe. Ask again later."),
            requests.DiskFailed);
        Unknown = new Refusal(
            Problem.Unavailable("The node's database failed while it wrote this request. It may have been taken. Send the same request again to find "
                + "out: a user has one request in a campaign.").Typed(PerhapsTaken), requests.Unknown);
    }

    /// <summary>404.</summary>
    internal Refusal NoCampaign { get; }

    /// <summary>503: to a question, while the store cannot be read.</summary>
    internal Refusal NotNow { get; }

    /// <summary>404: it is not there, or not the caller's.</summary>
    internal Refusal NoRequest { get; }

    /// <summary>404: no path.</summary>
    internal Refusal NoPath { get; }

    /// <summary>404: no draw.</summary>
    internal Refusal NoDraw { get; }

    /// <summary>500: the id of this user's request is another user's.</summary>
    internal Refusal Collision { get; }

    /// <summary>410.</summary>
    internal Refusal Closed { get; }

    /// <summary>401.</summary>
    internal Refusal Nobody { get; }

    /// <inheritdoc/>
    public Refusal Timeout { get; }

    /// <summary>415.</summary>
    internal Refusal Encoding { get; }

    /// <summary>413.</summary>
    internal Refusal TooLarge { get; }

    /// <summary>503.</summary>
    internal Refusal QueueFull { get; }

    private Refusal Draining { get; }

    private Refusal Held { get; }

    private Refusal StorageFull { get; }

    private Refusal DiskFailed { get; }

    private Refusal Unknown { get; }

    /// <summary>403 until it opens; the body has the time.</summary>
    internal Refusal NotYet(Campaign campaign, DateTimeOffset now) => new(
        Problem.Of(StatusCodes.Status403Forbidden, "The campaign has not opened. Nothing was taken. Send the request at opensAt.")
            .WithMember("opensAt", Rfc3339.ToText(campaign.Settings.OpensAt)),
        _requests.Invalid, Problem.RetryAfterOf(campaign.Settings.OpensAt - now));

    /// <summary>429.</summary>
    internal Refusal OverRate(TimeSpan wait) => new(TooManyOfUser, _requests.RateLimited, Problem.RetryAfterOf(wait));

    /// <summary>401: what is wrong with the token.</summary>
    internal Refusal OfToken(TokenFault fault) => _wrongTokens[(int)fault];

    /// <summary>429: the address has shown too many wrong tokens.</summary>
    internal Refusal OverFailures(TimeSpan wait) => new(TooManyWrongTokens, _requests.RateLimited, Problem.RetryAfterOf(wait));

    /// <summary>503: nobody knows whether the token is valid.</summary>
    internal Refusal NoTokenKeys(TimeSpan wait) => new(KeysAway, _requests.NoTokenKeys, Problem.RetryAfterOf(wait));

    /// <inheritdoc/>
    public Refusal Malformed(string detail) => Invalid(Problem.Of(StatusCodes.Status400BadRequest, detail));

    /// <summary>503: the store failed.</summary>
    internal Refusal Of(StoreException error) => error.IsUnknown ? Unknown : error.IsFull ? StorageFull : DiskFailed;

    /// <summary>409: the request is not where it could be done.</summary>
    internal Refusal Conflict(string detail) => Invalid(Problem.Of(StatusCodes.Status409Conflict, detail));

    /// <summary>What the store's refusal becomes.</summary>
    internal Refusal Of(AcceptanceOutcome outcome, Campaign? campaign, DateTimeOffset now) => outcome switch
    {
        AcceptanceOutcome.NotYet when campaign is not null => NotYet(campaign, now),
        AcceptanceOutcome.Closed => Closed,
        AcceptanceOutcome.NoCampaign => NoCampaign,
        AcceptanceOutcome.QueueFull => QueueFull,
        AcceptanceOutcome.Draining => Draining,
        AcceptanceOutcome.Held => Held,
        AcceptanceOutcome.StorageFull => StorageFull,
        AcceptanceOutcome.Unknown => Unknown,
        _ => DiskFailed,
    };

    private static Problem WrongToken(TokenFault fault)
    {
        string why = fault switch
        {
            TokenFault.Malformed => "It is no signed JWT, or its header asks for what this server does not know",
            TokenFault.Algorithm => "It is not signed, or not by RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512",
            TokenFault.Issuer => "It is of another issuer than this server believes",
            TokenFault.Audience => "It is for another service",
            TokenFault.Endless => "It has no time of expiry",
            TokenFault.Expired => "It has expired",
            TokenFault.NotYet => "It is not valid yet",
            TokenFault.UnknownKey => "Its issuer has no such key",
            TokenFault.NoUser => "It names no user",
            _ => "Its signature is wrong",
        };
        return Problem.Of(StatusCodes.Status401Unauthorized, $"This server does not accept the token. {why}. Sign in again.")
            .With(HeaderNames.WWWAuthenticate, "Bearer error=\"invalid_token\"");
    }

    private Refusal Invalid(Problem problem) => new(problem, _requests.Invalid);
}
