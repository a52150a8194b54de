// Who asks for a page of the operator's: from where, over what, and by whose page.
using System.Net;
using System.Net.Sockets;
using Estat.Http.ClientAddress;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Access;

/// <summary>What a request says of its sender, as far as its connection's <see cref="Peer"/> lets it be believed.</summary>
internal static class Caller
{
    private const string ForwardedHost = "X-Forwarded-Host";
    private const string ForwardedProto = "X-Forwarded-Proto";
    private const string LocalName = "localhost";

    // A proxy on this machine comes from loopback as well, on behalf of anybody; nearly all say so in one of these.
    private static readonly string[] ProxyHeaders = [TrustedProxies.Header, "Forwarded", "Via", "X-Real-IP", ForwardedHost, ForwardedProto];

    /// <summary>
    /// Whether somebody on this machine asks, for themselves. The name that they ask by counts too: a web page may point its own name at 127.0.0.1,
    /// and HTTP/1.0 is spoken by proxies that say nothing of themselves (nginx, unless told otherwise), not by browsers and tools. So does the
    /// address: what asks for itself comes from 127.0.0.1 or ::1, a sidecar that brings the network's connections in may come from another one of
    /// loopback (Istio: 127.0.0.6).
    /// </summary>
    internal static bool IsOnThisNode(HttpContext context)
    {
        IPAddress address = PeerOf(context).Address;
        return (IPAddress.Loopback.Equals(address) || IPAddress.IPv6Loopback.Equals(address)) && IsLocalName(context.Request.Host.Host)
            && !HttpProtocol.IsHttp10(context.Request.Protocol)
            && !ProxyHeaders.Any(context.Request.Headers.ContainsKey);
    }

    /// <summary>
    /// The address to hold failures against: the peer's, or whom trusted proxies name. IPv6 by /64, as one client has all of it.
    /// </summary>
    internal static IPAddress AddressOf(HttpContext context)
    {
        IPAddress address = PeerOf(context).ClientAddressOf(context.Request.Headers);
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <summary>Whether nobody on the way can read along: TLS up to here, or up to a trusted proxy.</summary>
    internal static bool IsSecure(HttpContext context) =>
        context.Request.IsHttps
        || (PeerOf(context).IsTrustedProxy
            && string.Equals(LastOf(context.Request.Headers[ForwardedProto]), "https", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the wire between the client and this node can be listened to by others.</summary>
    internal static bool IsExposed(HttpContext context) => !IsSecure(context) && !IPAddress.IsLoopback(PeerOf(context).Address);

    /// <summary>
    /// Whether a page of another origin made the browser ask. Following a link to here is nobody's page asking. Browsers say it by Sec-Fetch-Site
    /// over https and to localhost, elsewhere by Origin; what is no browser says neither.
    /// </summary>
    internal static bool IsForeignPage(HttpContext context)
    {
        IHeaderDictionary headers = context.Request.Headers;
        string site = headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
        {
            bool isLink = headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document"
                && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method));
            return site is not ("same-origin" or "none") && !isLink;
        }

        string origin = headers.Origin.ToString();
        return origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? url) && IsAskedBy(context, url));
    }

    private static bool IsLocalName(string host) =>
        host.Equals(LocalName, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + LocalName, StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(AddressText.Plain(address)));

    private static Peer PeerOf(HttpContext context) => context.Features.Get<Peer>()!;

    private static string? LastOf(StringValues values) =>
        values.Count == 0 ? null : values[^1]?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();

    // By the name that the client used: a proxy may have put another into Host.
    private static bool IsAskedBy(HttpContext context, Uri origin)
    {
        string host = context.Request.Host.Value ?? "";
        string? forwarded = PeerOf(context).IsTrustedProxy ? LastOf(context.Request.Headers[ForwardedHost]) : null;
        return IsSame(host) || (forwarded is not null && IsSame(forwarded));

        bool IsSame(string name) => name.Equals(origin.Authority, StringComparison.OrdinalIgnoreCase)
            || name.Equals($"{origin.Host}:{origin.Port}", StringComparison.OrdinalIgnoreCase);
    }
}
