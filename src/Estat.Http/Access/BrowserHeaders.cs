// What every page that a browser shows says about itself: the one place for it.
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Access;

/// <summary>
/// Only this node's own files run and are shown, in no frame, and no cache keeps them. A page that needs another policy sets Content-Security-Policy
/// anew; one that may be kept, Cache-Control.
/// </summary>
internal static class BrowserHeaders
{
    /// <summary>The policy of pages that write styles into their markup, as the Orleans Dashboard does. Scripts remain files of this node.</summary>
    internal const string WithInlineStyles = Sources + "; style-src 'self' 'unsafe-inline'; " + Everywhere;

    private const string Sources = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
        + "manifest-src 'self'";
    private const string Everywhere = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    private static readonly StringValues Policy = Sources + "; style-src 'self'; " + Everywhere;
    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues Deny = "DENY";
    private static readonly StringValues SameOrigin = "same-origin"; // no-referrer would make a form's Origin null
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues AYear = "max-age=31536000";

    /// <summary>The policy of a page of its own that runs nothing.</summary>
    /// <param name="styleHash">Of the one style sheet that it holds: <c>sha256-…</c>.</param>
    internal static string OnlyStyle(string styleHash) => $"default-src 'none'; style-src '{styleHash}'; {Everywhere}";

    /// <summary>For everything that this node answers beside the collecting paths: it is what its Content-Type says.</summary>
    internal static void ApplyToAll(HttpContext context) => context.Response.Headers.XContentTypeOptions = NoSniff;

    /// <summary>For the operator's pages.</summary>
    internal static void Apply(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = NoSniff;
        headers.XFrameOptions = Deny;
        headers["Referrer-Policy"] = SameOrigin;
        headers["Cross-Origin-Opener-Policy"] = SameOrigin;
        headers["Cross-Origin-Resource-Policy"] = SameOrigin;
        headers.CacheControl = NoStore;
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = AYear;
        }
    }
}
