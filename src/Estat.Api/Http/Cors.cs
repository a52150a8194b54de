// Which web pages may send events: CORS by CORS_ORIGINS.
using Estat.Api.Access;
using Estat.Core.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Api.Http;

/// <summary>
/// With <c>*</c> any page may send, without credentials. With a list, the origin is named back and credentials are allowed, which is what
/// <c>navigator.sendBeacon</c> asks for. A request without <c>Origin</c> comes from no page and passes.
/// </summary>
/// <param name="options">The origins.</param>
/// <param name="access">Whose keys name origins of their own; null without keys.</param>
internal sealed class Cors(EstatOptions options, WriteAccess? access = null)
{
    private static readonly StringValues AllowedMethods = "GET, POST, OPTIONS";
    private static readonly StringValues AllowedHeaders = "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Api-Key, X-Estat-Ack";
    private static readonly StringValues ExposedHeaders = "Retry-After, X-Estat-Ack, X-Estat-Key";
    private static readonly StringValues MaxAge = "86400";
    private static readonly StringValues Yes = "true";
    private static readonly StringValues AnyOrigin = "*";
    private readonly bool _any = options.CorsOrigins.Contains("*");
    private readonly HashSet<string> _origins = new(options.CorsOrigins, StringComparer.OrdinalIgnoreCase);

    /// <summary>Marks the answer to a page's request as readable for it.</summary>
    internal void Apply(HttpContext context)
    {
        StringValues origin = context.Request.Headers.Origin;
        if (origin.Count == 0)
        {
            return;
        }

        IHeaderDictionary headers = context.Response.Headers;
        if (_any)
        {
            headers.AccessControlAllowOrigin = AnyOrigin;
            headers.AccessControlExposeHeaders = ExposedHeaders;
            return;
        }

        Answer(context, origin.Count == 1 && _origins.Contains(origin[0]!) ? origin : default);
    }

    /// <summary>Marks an answer as readable for pages of this one origin, or, by default, of none.</summary>
    internal static void Answer(HttpContext context, StringValues origin)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.Vary = "Origin";
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowCredentials = origin.Count > 0 ? Yes : default;
        headers.AccessControlExposeHeaders = origin.Count > 0 ? ExposedHeaders : default;
    }

    /// <summary>Answers a preflight: 204 with what is allowed; an origin that is not gets no permission.</summary>
    internal Task PreflightAsync(HttpContext context)
    {
        Apply(context);
        if (access is not null && context.Request.Headers.Origin is [{ } origin] && access.MaySend(context, origin) is { } maySend)
        {
            Answer(context, maySend ? origin : default(StringValues));
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.Allow = AllowedMethods;
        if (headers.AccessControlAllowOrigin.Count > 0)
        {
            headers.AccessControlAllowMethods = AllowedMethods;
            headers.AccessControlAllowHeaders = AllowedHeaders;
            headers.AccessControlMaxAge = MaxAge;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
