// Which web pages may speak for their user.
using Estat.Base.Options;
using Estat.Http.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Access;

/// <summary>
/// As for <c>/collect</c>, but for one thing: what a user does here depends on who the browser says it is. So credentials are allowed only to origins
/// that CORS_ORIGINS names; <c>*</c> lets any page in that shows a token of its own, and no cookie.
/// </summary>
/// <param name="options">The origins.</param>
/// <param name="allowedHeaders">What pages may send.</param>
/// <param name="exposed">What pages may read.</param>
internal sealed class UserCors(HttpOptions options, string allowedHeaders, string exposed)
{
    private readonly PageOrigins _all = new(options.CorsOrigins);
    private readonly PageOrigins _named = new([.. options.CorsOrigins.Where(origin => origin != "*")]);

    /// <summary>Marks an answer as readable for the page that asked.</summary>
    internal void Show(HttpContext context)
    {
        StringValues origin = context.Request.Headers.Origin;
        if (origin.Count == 0)
        {
            return;
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.Vary = "Origin";
        if (origin is not [{ } only] || !_all.Allows(only))
        {
            return;
        }

        bool isNamed = _named.Allows(only);
        headers.AccessControlAllowOrigin = isNamed ? only : "*";
        headers.AccessControlExposeHeaders = exposed;
        if (isNamed)
        {
            headers.AccessControlAllowCredentials = "true";
        }
    }

    /// <summary>Answers a preflight: 204 with what is allowed.</summary>
    internal Task PreflightAsync(HttpContext context, string allowed)
    {
        Show(context);
        IHeaderDictionary headers = context.Response.Headers;
        headers.Allow = allowed;
        if (headers.AccessControlAllowOrigin.Count > 0)
        {
            headers.AccessControlAllowMethods = allowed;
            headers.AccessControlAllowHeaders = allowedHeaders;
            headers.AccessControlMaxAge = "86400";
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
