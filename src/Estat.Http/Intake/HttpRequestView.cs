// Kestrel's requests as rules see them.
using Estat.Base.Acks;
using Estat.Http.ClientAddress;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Intake;

/// <summary>Reads each value when it is asked for; holds the request alone, so that what waits with it waits with no more.</summary>
/// <param name="context">The request. Its connection has a <see cref="ClientAddress.Peer"/> among its features.</param>
internal readonly struct HttpRequestView(HttpContext context) : IRequestView
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const string IdempotencyKeyHeader = "Idempotency-Key";

    /// <inheritdoc/>
    public Peer Peer => context.Features.Get<Peer>()!;

    /// <inheritdoc/>
    public string? Query => context.Request.QueryString.Value;

    /// <inheritdoc/>
    public long? ContentLength => context.Request.ContentLength;

    /// <inheritdoc/>
    public StringValues TransferEncoding => context.Request.Headers.TransferEncoding;

    /// <inheritdoc/>
    public StringValues ContentType => context.Request.Headers.ContentType;

    /// <inheritdoc/>
    public StringValues ContentEncoding => context.Request.Headers.ContentEncoding;

    /// <inheritdoc/>
    public StringValues ApiKey => context.Request.Headers[ApiKeyHeader];

    /// <inheritdoc/>
    public StringValues Authorization => context.Request.Headers.Authorization;

    /// <inheritdoc/>
    public StringValues Origin => context.Request.Headers.Origin;

    /// <inheritdoc/>
    public StringValues AckLevel => context.Request.Headers[AckHeaders.Ack];

    /// <inheritdoc/>
    public StringValues Cookie => context.Request.Headers.Cookie;

    /// <inheritdoc/>
    public StringValues TraceParent => context.Request.Headers.TraceParent;

    /// <inheritdoc/>
    public StringValues TraceState => context.Request.Headers.TraceState;

    /// <inheritdoc/>
    public StringValues ForwardedFor => context.Request.Headers[TrustedProxies.Header];

    /// <inheritdoc/>
    public StringValues ViewerAddress => context.Request.Headers[Peer.ViewerAddress];

    /// <inheritdoc/>
    public ReadOnlySpan<char> UserAgent => First(context.Request.Headers.UserAgent);

    /// <inheritdoc/>
    public ReadOnlySpan<char> IdempotencyKey => First(context.Request.Headers[IdempotencyKeyHeader]);

    /// <summary>A header by a name that an option gives.</summary>
    internal StringValues Header(string name) => context.Request.Headers[name];

    private static ReadOnlySpan<char> First(StringValues values) => values.Count > 0 ? values[0] : default;
}
