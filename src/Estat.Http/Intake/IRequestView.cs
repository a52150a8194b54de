// What rules read of a request, whichever door it came through.
using Estat.Http.ClientAddress;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Intake;

/// <summary>
/// A request's head and its client, and nothing of its body. A door has a struct for it, for which the rules are compiled: reading costs neither an
/// allocation nor a virtual call. Header texts are characters as HTTP/1 gives them: one for each byte (Latin-1). A header that was not sent has no
/// values; one that came several times has several. Spans are valid until the door goes on to the connection's next request. Nothing here throws.
/// </summary>
internal interface IRequestView : IForwardedHeaders
{
    /// <summary>The other end of the connection, with what the connection remembers of its client.</summary>
    Peer Peer { get; }

    /// <summary>The query as it was sent, with its <c>?</c>; null or empty when there is none.</summary>
    string? Query { get; }

    /// <summary>Bytes of the body as announced; null when they are not.</summary>
    long? ContentLength { get; }

    /// <summary><c>Transfer-Encoding</c>.</summary>
    StringValues TransferEncoding { get; }

    /// <summary><c>Content-Type</c>.</summary>
    StringValues ContentType { get; }

    /// <summary><c>Content-Encoding</c>.</summary>
    StringValues ContentEncoding { get; }

    /// <summary><c>X-Api-Key</c>.</summary>
    StringValues ApiKey { get; }

    /// <summary><c>Authorization</c>.</summary>
    StringValues Authorization { get; }

    /// <summary><c>Origin</c>.</summary>
    StringValues Origin { get; }

    /// <summary><c>X-Estat-Ack</c>.</summary>
    StringValues AckLevel { get; }

    /// <summary><c>Cookie</c>.</summary>
    StringValues Cookie { get; }

    /// <summary><c>traceparent</c>.</summary>
    StringValues TraceParent { get; }

    /// <summary><c>tracestate</c>.</summary>
    StringValues TraceState { get; }

    /// <summary>The first <c>User-Agent</c>; empty without.</summary>
    ReadOnlySpan<char> UserAgent { get; }

    /// <summary>The first <c>Idempotency-Key</c>; empty without.</summary>
    ReadOnlySpan<char> IdempotencyKey { get; }
}
