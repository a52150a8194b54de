// TRUSTED_PROXIES, and whom they vouch for: what limits go by.
using System.Net;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.ClientAddress;

/// <summary>
/// The only place that knows which proxies are trusted; a listener makes one, and each <see cref="Peer"/> of it asks here. X-Forwarded-For is read
/// from its right end, where each proxy adds whom it saw: past those that are trusted, to the first that is not. What stands left of it the client
/// wrote itself. So this, and not the first address, is what limits go by.
/// </summary>
/// <param name="networks">TRUSTED_PROXIES.</param>
internal sealed class TrustedProxies(IReadOnlyList<IPNetwork> networks)
{
    /// <summary>The header that they write.</summary>
    internal const string Header = "X-Forwarded-For";

    /// <summary>Whether an address is one of them.</summary>
    /// <param name="address">The address; IPv4 as such.</param>
    internal bool Contain(IPAddress address)
    {
        foreach (IPNetwork network in networks)
        {
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first address from the right that is no trusted proxy; where a part is no address, or all are trusted, the last proxy before
    /// it.</summary>
    /// <param name="lines">The header's values.</param>
    /// <param name="peer">The other end of the connection, a trusted proxy.</param>
    internal IPAddress ClientOf(StringValues lines, IPAddress peer)
    {
        IPAddress client = peer;
        for (int i = lines.Count - 1; i >= 0; i--)
        {
            ReadOnlySpan<char> rest = lines[i];
            while (!rest.IsEmpty)
            {
                int comma = rest.LastIndexOf(',');
                ReadOnlySpan<char> part = rest[(comma + 1)..].Trim();
                rest = comma < 0 ? default : rest[..comma];
                if (part.IsEmpty)
                {
                    continue;
                }

                if (AddressText.TryRead(part) is not { } address)
                {
                    return client; // nobody can tell who wrote what stands left of it
                }

                client = address;
                if (!Contain(client))
                {
                    return client;
                }
            }
        }

        return client;
    }
}
