// What tells a browser which page may read an answer.
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Answering;

/// <summary>The headers of CORS that every answer to a page carries; who may send is decided elsewhere.</summary>
internal static class CorsHeaders
{
    private static readonly StringValues Yes = "true";
    private static readonly StringValues ExposedHeaders = "Retry-After, X-Estat-Ack, X-Estat-Key";

    /// <summary>Marks an answer as readable for pages of this one origin, or, by default, of none.</summary>
    internal static void Answer(HttpContext context, StringValues origin)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.Vary = "Origin";
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowCredentials = origin.Count > 0 ? Yes : default;
        headers.AccessControlExposeHeaders = origin.Count > 0 ? ExposedHeaders : default;
    }
}
