// The envelope fields of a request.
using Estat.Collect.Events;
using Estat.Collect.Options;
using Estat.Http.Access;
using Estat.Http.Intake;

namespace Estat.Collect.Intake;

/// <summary>Reads what a line says beside the body, without copying any of it. Headers are cut at what <see cref="HeaderText"/> says.</summary>
internal sealed class Envelope(CollectOptions options, TimeProvider time)
{
    /// <summary>The envelope; valid while the request's headers are.</summary>
    /// <param name="request">The request.</param>
    /// <param name="prefix">Where the event goes; null is <c>RAW_PREFIX</c>.</param>
    internal EventHeader Of<TRequest>(TRequest request, string? prefix)
        where TRequest : struct, IRequestView => new()
    {
        Prefix = prefix,
        UnixSeconds = time.GetUtcNow().ToUnixTimeSeconds(),
        Ip = request.Peer.ClientOf(request),
        UserAgent = HeaderText.Cut(request.UserAgent, HeaderText.LongestUserAgent),
        Cookie = options.CaptureCookie ? HeaderText.Cut(WithoutSession(request.Cookie.ToString()), HeaderText.LongestCookie) : default,
        Id = HeaderText.Cut(request.IdempotencyKey, HeaderText.LongestId),
    };

    // The console's session opens this node: it is nobody's to store.
    private static string WithoutSession(string cookies) => !cookies.Contains(AdminAccess.SessionCookie, StringComparison.Ordinal) ? cookies
        : string.Join("; ", cookies.Split([';', ','], StringSplitOptions.TrimEntries)
            .Where(cookie => !cookie.StartsWith(AdminAccess.SessionCookie + "=", StringComparison.Ordinal)));
}
