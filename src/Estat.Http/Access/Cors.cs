// Which web pages may send events: CORS by CORS_ORIGINS.
using System.Buffers;
using System.Collections.Frozen;
using Estat.Base.Options;
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Estat.Http.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Access;

/// <summary>
/// The origin of a page that may send is named back, also where <c>*</c> lets any page send, and credentials are allowed: <c>navigator.sendBeacon</c>
/// always asks with them, and browsers take no <c>*</c> for an answer then. Nothing that these paths do or answer depends on credentials of the
/// browser's. A request without <c>Origin</c> comes from no page and passes.
/// </summary>
/// <param name="options">The origins.</param>
/// <param name="access">Whose keys name origins of their own; null without keys.</param>
internal sealed class Cors(HttpOptions options, WriteAccess? access = null)
{
    private const int MostHeadersAsked = 64;
    private const int LongestHeadersAsked = 2048;
    private const string AsksForPrivateNetwork = "Access-Control-Request-Private-Network";
    private const string AllowsPrivateNetwork = "Access-Control-Allow-Private-Network";

    private static readonly StringValues AllowedMethods = "GET, POST, OPTIONS";

    // All that are read.
    private static readonly StringValues AllowedHeaders =
        "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Api-Key, X-Estat-Ack, traceparent, tracestate";

    // Which address an event came from, proxies say, not pages.
    private static readonly FrozenSet<string> ProxyHeaders =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, TrustedProxies.Header, "Forwarded", Peer.ViewerAddress);

    private static readonly SearchValues<char> HeaderNameCharacters = SearchValues.Create(HttpToken.Characters);

    private static readonly StringValues MaxAge = "86400";
    private readonly PageOrigins _origins = new(options.CorsOrigins);

    /// <summary>Who may read the answer to a request.</summary>
    internal PageAnswer Of<TRequest>(TRequest request)
        where TRequest : struct, IRequestView
    {
        StringValues origin = request.Origin;
        return origin.Count == 0 ? default : PageAnswer.To(origin is [{ } only] && _origins.Allows(only) ? origin : default);
    }

    /// <summary>Answers a preflight: 204 with what is allowed; an origin that is not gets no permission.</summary>
    internal Task PreflightAsync(HttpContext context)
    {
        var request = new HttpRequestView(context);
        PageAnswer page = access is not null && request.Origin is [{ } origin] && access.MaySend(request, origin) is { } maySend
            ? PageAnswer.To(maySend ? origin : default(StringValues))
            : Of(request);
        HttpAnswers.Show(context, page);
        IHeaderDictionary headers = context.Response.Headers;
        headers.Allow = AllowedMethods;
        if (headers.AccessControlAllowOrigin.Count > 0)
        {
            headers.AccessControlAllowMethods = AllowedMethods;
            headers.AccessControlAllowHeaders = HeadersFor(context.Request.Headers.AccessControlRequestHeaders);
            headers.AccessControlMaxAge = MaxAge;
            if (context.Request.Headers.ContainsKey(AsksForPrivateNetwork))
            {
                headers[AllowsPrivateNetwork] = "true";
            }
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    // Whatever a page's tracing or its libraries add to a request (traceparent, baggage, x-requested-with) is as good as unsent: it is allowed, by
    // name, as browsers take no * together with credentials. What is no list of header names gets the list of those that are read.
    private static StringValues HeadersFor(StringValues asked)
    {
        string list = asked.ToString();
        if (list.Length is 0 or > LongestHeadersAsked)
        {
            return AllowedHeaders;
        }

        string[] names = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.Length is 0 or > MostHeadersAsked || !Array.TrueForAll(names, IsHeaderName) ? AllowedHeaders
            : string.Join(", ", names.Where(name => !ProxyHeaders.Contains(name)));
    }

    private static bool IsHeaderName(string text) => !text.AsSpan().ContainsAnyExcept(HeaderNameCharacters);
}
