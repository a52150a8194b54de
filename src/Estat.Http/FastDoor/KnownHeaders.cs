// The headers of a request that the fast door knows.
using System.Text;

namespace Estat.Http.FastDoor;

/// <summary>A header that rules read, or that says how a request is framed. Names are compared without case.</summary>
internal enum KnownHeader
{
    /// <summary>None of them: it may say what it likes.</summary>
    Other = -1,

    Host,
    ContentLength,
    Connection,
    ContentType,
    ApiKey,
    Authorization,
    Origin,
    AckLevel,
    Cookie,
    TraceParent,
    TraceState,
    ForwardedFor,
    ViewerAddress,
    UserAgent,
    IdempotencyKey,

    /// <summary>One that Kestrel has to read: a transfer coding, a content coding, an expectation, an upgrade.</summary>
    Foreign,
}

/// <summary>Finds out which header a name is.</summary>
internal static class KnownHeaders
{
    /// <summary>Headers whose values are kept for the rules.</summary>
    internal const int Count = (int)KnownHeader.Foreign;

    /// <summary>The header of that name.</summary>
    internal static KnownHeader Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => Is(name, "host"u8, KnownHeader.Host),
        6 => (name[0] | 0x20) switch
        {
            'o' => Is(name, "origin"u8, KnownHeader.Origin),
            'c' => Is(name, "cookie"u8, KnownHeader.Cookie),
            _ => Is(name, "expect"u8, KnownHeader.Foreign),
        },
        7 => (name[0] | 0x20) == 'u' ? Is(name, "upgrade"u8, KnownHeader.Foreign) : Is(name, "trailer"u8, KnownHeader.Foreign),
        9 => Is(name, "x-api-key"u8, KnownHeader.ApiKey),
        10 => (name[0] | 0x20) switch
        {
            'c' => Is(name, "connection"u8, KnownHeader.Connection),
            'u' => Is(name, "user-agent"u8, KnownHeader.UserAgent),
            _ => Is(name, "tracestate"u8, KnownHeader.TraceState),
        },
        11 => (name[0] | 0x20) == 'x' ? Is(name, "x-estat-ack"u8, KnownHeader.AckLevel) : Is(name, "traceparent"u8, KnownHeader.TraceParent),
        12 => Is(name, "content-type"u8, KnownHeader.ContentType),
        13 => Is(name, "authorization"u8, KnownHeader.Authorization),
        14 => Is(name, "content-length"u8, KnownHeader.ContentLength),
        15 => (name[0] | 0x20) == 'x' ? Is(name, "x-forwarded-for"u8, KnownHeader.ForwardedFor)
            : Is(name, "idempotency-key"u8, KnownHeader.IdempotencyKey),
        16 => Is(name, "content-encoding"u8, KnownHeader.Foreign),
        17 => Is(name, "transfer-encoding"u8, KnownHeader.Foreign),
        25 => Is(name, "cloudfront-viewer-address"u8, KnownHeader.ViewerAddress),
        _ => KnownHeader.Other,
    };

    private static KnownHeader Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known, KnownHeader header) =>
        Ascii.EqualsIgnoreCase(name, known) ? header : KnownHeader.Other;
}
