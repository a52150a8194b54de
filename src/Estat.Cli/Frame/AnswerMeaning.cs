// What an answer, or none, means to a client that would send again: may it be, when, and may the first time have been taken?
using System.Net;
using Estat.Http.Answering;

namespace Estat.Cli.Frame;

/// <summary>One meaning for all verbs, as docs/http.md gives it.</summary>
internal static class AnswerMeaning
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>Whether the same request may be taken later.</summary>
    internal static bool MayPass(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Whether what was sent may be stored although it was not acknowledged: Estat says so by a 503's type; of a proxy's answers nobody
    /// knows.</summary>
    internal static bool MayBeStored(HttpStatusCode status, ProblemText problem) =>
        status is HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout
            || problem.Type == Problem.Perhaps;

    /// <summary>The same of a request without an answer. Where no connection came about, nothing was sent.</summary>
    internal static bool MayBeStored(Exception error) => error is not HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
            or HttpRequestError.ProxyTunnelError,
    };

    /// <summary>How long the answer asks to wait, 5 minutes at most; zero when it does not.</summary>
    internal static TimeSpan RetryAfter(HttpResponseMessage answer, TimeProvider time)
    {
        TimeSpan after = answer.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        return after < TimeSpan.Zero ? TimeSpan.Zero : after > LongestRetryAfter ? LongestRetryAfter : after;
    }
}
