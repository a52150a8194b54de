// What tells a browser which page may read an answer.
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Intake;

/// <summary>The headers of CORS that an answer carries; who may send is decided elsewhere. The default is the answer to no page: it has none of
/// them.</summary>
internal readonly struct PageAnswer
{
    private static readonly StringValues Yes = "true";
    private static readonly StringValues Exposed = "Retry-After, X-Estat-Ack, X-Estat-Key";
    private static readonly StringValues ByOrigin = "Origin";

    private PageAnswer(StringValues origin)
    {
        IsToPage = true;
        Origin = origin;
    }

    /// <summary>Whether a page asked, so that the answer has these headers.</summary>
    internal bool IsToPage { get; }

    /// <summary><c>Access-Control-Allow-Origin</c>; no values when no page may read the answer.</summary>
    internal StringValues Origin { get; }

    /// <summary><c>Access-Control-Allow-Credentials</c>; as the origin.</summary>
    internal StringValues Credentials => Origin.Count > 0 ? Yes : default;

    /// <summary><c>Access-Control-Expose-Headers</c>; as the origin.</summary>
    internal StringValues ExposedHeaders => Origin.Count > 0 ? Exposed : default;

    /// <summary><c>Vary</c>.</summary>
    internal StringValues Vary => IsToPage ? ByOrigin : default;

    /// <summary>An answer that pages of this one origin may read, or, without a value, none.</summary>
    internal static PageAnswer To(StringValues origin) => new(origin);
}
