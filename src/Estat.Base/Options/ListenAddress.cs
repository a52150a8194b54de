// HTTP_ADDR as Go spells it: ":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080".
using System.Globalization;
using System.Net;

namespace Estat.Base.Options;

/// <summary>A listening address. <see cref="Address"/> is null for every interface.</summary>
public readonly record struct ListenAddress(IPAddress? Address, int Port)
{
    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLoopback => Address is not null && IPAddress.IsLoopback(Address);

    /// <summary>Where a client on this machine finds what listens there.</summary>
    /// <param name="tls">Whether it has a certificate.</param>
    /// <param name="path">Such as <c>/health</c>.</param>
    public Uri Here(bool tls, string path)
    {
        IPAddress host = Address is null || Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : Address;
        return new Uri($"{(tls ? "https" : "http")}://{new IPEndPoint(host, Port)}{path}");
    }

    /// <summary>Parses <c>[host]:port</c>; the host is an IP address or <c>localhost</c>, the port 0 (any free) to 65535.</summary>
    public static bool TryParse(string text, out ListenAddress address)
    {
        address = default;
        int colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65535)
        {
            return false;
        }

        string host = text[..colon];
        if (host.Length == 0)
        {
            address = new ListenAddress(null, port);
            return true;
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = new ListenAddress(IPAddress.Loopback, port);
            return true;
        }

        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!IPAddress.TryParse(bracketed ? host[1..^1] : host, out IPAddress? ip) || (!bracketed && host.Contains(':', StringComparison.Ordinal)))
        {
            return false;
        }

        address = new ListenAddress(ip, port);
        return true;
    }
}
