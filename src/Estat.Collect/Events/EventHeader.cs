// The envelope fields of an event, as they came with its request.
namespace Estat.Collect.Events;

/// <summary>
/// What a line says beside the body. Spans point into the request and are read before the call that takes them returns.
/// Header texts are characters as HTTP/1 gives them: one per byte (Latin-1), which <see cref="LineEncoder"/> turns back into those bytes.
/// </summary>
public readonly ref struct EventHeader
{
    /// <summary>Time of arrival, UTC epoch seconds.</summary>
    public required long UnixSeconds { get; init; }

    /// <summary>The key prefix of the objects that the event goes to; null is <c>RAW_PREFIX</c>. Not part of the line.</summary>
    public string? Prefix { get; init; }

    /// <summary>The client's address as ASCII text.</summary>
    public ReadOnlySpan<byte> Ip { get; init; }

    /// <summary>The <c>User-Agent</c> header; empty when there was none.</summary>
    public ReadOnlySpan<char> UserAgent { get; init; }

    /// <summary>The <c>Cookie</c> header, when <c>CAPTURE_COOKIE</c> asks for it; the field is left out when empty.</summary>
    public ReadOnlySpan<char> Cookie { get; init; }

    /// <summary>The <c>Idempotency-Key</c> header; the field is left out when empty.</summary>
    public ReadOnlySpan<char> Id { get; init; }
}
