// A request at the fast door as rules see it.
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.FastDoor;

/// <summary>Reads each value when it is asked for.</summary>
/// <param name="head">The request's head.</param>
/// <param name="peer">The other end of its connection.</param>
internal readonly struct FastRequestView(RequestHead head, Peer peer) : IRequestView
{
    /// <inheritdoc/>
    public Peer Peer => peer;

    /// <inheritdoc/>
    public string? Query => null;

    /// <inheritdoc/>
    public long? ContentLength => head.ContentLength;

    /// <inheritdoc/>
    public StringValues TransferEncoding => default;

    /// <inheritdoc/>
    public StringValues ContentType => Values(KnownHeader.ContentType);

    /// <inheritdoc/>
    public StringValues ContentEncoding => default;

    /// <inheritdoc/>
    public StringValues ApiKey => Values(KnownHeader.ApiKey);

    /// <inheritdoc/>
    public StringValues Authorization => Values(KnownHeader.Authorization);

    /// <inheritdoc/>
    public StringValues Origin => Values(KnownHeader.Origin);

    /// <inheritdoc/>
    public StringValues AckLevel => Values(KnownHeader.AckLevel);

    /// <inheritdoc/>
    public StringValues Cookie => Values(KnownHeader.Cookie);

    /// <inheritdoc/>
    public StringValues TraceParent => Values(KnownHeader.TraceParent);

    /// <inheritdoc/>
    public StringValues TraceState => Values(KnownHeader.TraceState);

    /// <inheritdoc/>
    public StringValues ForwardedFor => Values(KnownHeader.ForwardedFor);

    /// <inheritdoc/>
    public StringValues ViewerAddress => Values(KnownHeader.ViewerAddress);

    /// <inheritdoc/>
    public ReadOnlySpan<char> UserAgent => head.Text(KnownHeader.UserAgent);

    /// <inheritdoc/>
    public ReadOnlySpan<char> IdempotencyKey => head.Text(KnownHeader.IdempotencyKey);

    private StringValues Values(KnownHeader header) => head.Text(header) is { } text ? new StringValues(text) : default;
}
