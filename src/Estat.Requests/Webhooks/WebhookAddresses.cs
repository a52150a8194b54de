// Where webhooks may lead: to the internet by https, and to networks that the operator of the node has named.
using System.Net;
using System.Net.Sockets;

namespace Estat.Requests.Webhooks;

/// <summary>
/// Who may make campaigns must not reach through Estat what only Estat can reach, such as a cloud's metadata service. Names are judged by the address
/// that is connected to, each time, because what a name leads to can change.
/// </summary>
/// <param name="allowed">REQUESTS_WEBHOOK_NETWORKS: not public, and allowed all the same, over http too.</param>
internal sealed class WebhookAddresses(IReadOnlyList<IPNetwork> allowed)
{
    private const string Option = "REQUESTS_WEBHOOK_NETWORKS";

    // IANA's registries of special-purpose addresses: what is not globally reachable, and what leads on to other addresses (6to4, Teredo).
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32",
            "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    // All of IPv6 that is given out to the public so far.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    // An IPv4 address in its last four bytes: where a network has IPv6 alone.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>Why a URL cannot be a webhook's, as far as it shows by itself; null when it can.</summary>
    internal string? WhyRefused(Uri url)
    {
        if (url.Scheme != Uri.UriSchemeHttps && allowed.Count == 0)
        {
            return $"webhook.url must be an https URL. Over http only networks that {Option} names can be called.";
        }

        IPAddress[] known = IPAddress.TryParse(url.IdnHost, out IPAddress? address) ? [address]
            : url.IsLoopback ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
            : [];
        return known.Length == 0 || known.Any(one => IsAllowed(one, url.Scheme)) ? null
            : $"webhook.url cannot be called: {Why(known[0], url.Scheme)}";
    }

    /// <summary>Whether an address may be called.</summary>
    internal bool IsAllowed(IPAddress address, string scheme)
    {
        IPAddress plain = Plain(address);
        return allowed.Any(network => network.Contains(plain)) || (scheme == Uri.UriSchemeHttps && IsPublic(plain));
    }

    /// <summary>Why an address may not be called, as a sentence.</summary>
    internal static string Why(IPAddress address, string scheme) => IsPublic(Plain(address)) && scheme != Uri.UriSchemeHttps
        ? $"{address} is a public address, and needs https."
        : $"{address} is not a public address, and {Option} does not name it.";

    /// <summary>Whether anybody on the internet can call an address.</summary>
    internal static bool IsPublic(IPAddress address)
    {
        IPAddress plain = Plain(address);
        return (plain.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(plain)) && !Special.Any(range => range.Contains(plain));
    }

    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : Nat64.Contains(address) ? new IPAddress(address.GetAddressBytes()[^4..]) : address;
}
