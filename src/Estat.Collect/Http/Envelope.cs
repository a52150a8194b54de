// The envelope fields of a request.
using Estat.Collect.Events;
using Estat.Collect.Options;
using Estat.Http.Access;
using Estat.Http.ClientAddress;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Http;

/// <summary>Reads what a line says beside the body, without copying any of it. Headers are cut at what <see cref="HeaderText"/> says.</summary>
internal sealed class Envelope(CollectOptions options, TimeProvider time)
{
    private const string IdempotencyKey = "Idempotency-Key";

    /// <summary>The envelope; valid while the request's headers are.</summary>
    /// <param name="context">The request.</param>
    /// <param name="prefix">Where the event goes; null is <c>RAW_PREFIX</c>.</param>
    internal EventHeader Of(HttpContext context, string? prefix)
    {
        IHeaderDictionary headers = context.Request.Headers;
        return new EventHeader
        {
            Prefix = prefix,
            UnixSeconds = time.GetUtcNow().ToUnixTimeSeconds(),
            Ip = context.Features.Get<Peer>()!.ClientOf(headers),
            UserAgent = HeaderText.Cut(First(headers.UserAgent), HeaderText.LongestUserAgent),
            Cookie = options.CaptureCookie ? HeaderText.Cut(WithoutSession(headers.Cookie.ToString()), HeaderText.LongestCookie) : default,
            Id = HeaderText.Cut(First(headers[IdempotencyKey]), HeaderText.LongestId),
        };
    }

    // The console's session opens this node: it is nobody's to store.
    private static string WithoutSession(string cookies) => !cookies.Contains(AdminAccess.SessionCookie, StringComparison.Ordinal) ? cookies
        : string.Join("; ", cookies.Split([';', ','], StringSplitOptions.TrimEntries)
            .Where(cookie => !cookie.StartsWith(AdminAccess.SessionCookie + "=", StringComparison.Ordinal)));

    private static ReadOnlySpan<char> First(StringValues values) => values.Count > 0 ? values[0] : default;
}
