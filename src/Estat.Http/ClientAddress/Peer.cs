// Who is at the other end of a connection; worked out once per connection, not per event.
using System.Net;
using System.Text;
using Estat.Base.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.ClientAddress;

/// <summary>
/// A connection's address and, if its other end is a trusted proxy, the client that its headers name: the first public address of
/// <c>X-Forwarded-For</c>, else <c>CloudFront-Viewer-Address</c>, else the proxy itself. Requests of one connection come one after another, so the
/// last answer is kept here and its buffer reused; but for HTTP/2, whose requests come together.
/// </summary>
internal sealed class Peer
{
    /// <summary>CloudFront's name for the client.</summary>
    internal const string ViewerAddress = "CloudFront-Viewer-Address";

    private const int LongestAddress = 64; // an IPv6 address has 45 characters at most

    private readonly IPAddress _address;
    private readonly TrustedProxies _proxies;
    private readonly byte[] _own;
    private readonly bool _isTrusted;
    private readonly bool _isShared;
    private readonly byte[] _client = new byte[LongestAddress];
    private readonly ulong _ownAddress;
    private int _clientLength;
    private string? _lastForwarded;
    private volatile AddressSeen? _lastAddress;
    private volatile KeySeen? _lastKey;

    private Peer(IPAddress address, TrustedProxies proxies, byte[] own, ulong ownAddress, bool isTrusted, bool isShared)
    {
        _address = address;
        _proxies = proxies;
        _own = own;
        _ownAddress = ownAddress;
        _isTrusted = isTrusted;
        _isShared = isShared;
    }

    /// <summary>Describes the other end of a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="proxies">The listener's.</param>
    /// <param name="isShared">Whether several requests of it may be handled at once.</param>
    internal static Peer Of(ConnectionContext connection, TrustedProxies proxies, bool isShared = false)
    {
        IPAddress address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        return Of(address, proxies, isShared);
    }

    /// <summary>Describes an address.</summary>
    internal static Peer Of(IPAddress address, TrustedProxies proxies, bool isShared = false)
    {
        address = AddressText.Plain(address);
        bool isTrusted = proxies.Contain(address);
        return new Peer(address, proxies, Encoding.ASCII.GetBytes(address.ToString()), AddressLimits.KeyOf(address), isTrusted, isShared);
    }

    /// <summary>The other end of the connection; IPv4 as such.</summary>
    internal IPAddress Address => _address;

    /// <summary>Whether it is a trusted proxy, so that its headers are believed.</summary>
    internal bool IsTrustedProxy => _isTrusted;

    /// <summary>The last write key that this connection showed and that was found. Replaced as a whole: requests of one connection may be handled at
    /// once.</summary>
    internal KeySeen? LastKey
    {
        get => _lastKey;
        set => _lastKey = value;
    }

    /// <summary>
    /// What the client is told apart by where addresses have limits: not <see cref="ClientOf"/>, which a client behind a proxy that appends chooses
    /// itself, but whom the trusted proxies name (<see cref="TrustedProxies"/>). The last answer is kept.
    /// </summary>
    internal ulong AddressOf<THeaders>(THeaders headers)
        where THeaders : struct, IForwardedHeaders
    {
        if (!_isTrusted)
        {
            return _ownAddress;
        }

        StringValues forwarded = headers.ForwardedFor;
        if (forwarded.Count == 0)
        {
            return _ownAddress;
        }

        if (forwarded.Count == 1 && _lastAddress is { } last && string.Equals(forwarded[0], last.Text, StringComparison.Ordinal))
        {
            return last.Key;
        }

        ulong key = AddressLimits.KeyOf(_proxies.ClientOf(forwarded, _address));
        _lastAddress = forwarded is [{ } only] ? new AddressSeen(only, key) : null;
        return key;
    }

    /// <inheritdoc cref="AddressOf{THeaders}(THeaders)"/>
    internal ulong AddressOf(IHeaderDictionary headers) => AddressOf(new ForwardedHeaders(headers));

    /// <summary>The same as an address.</summary>
    internal IPAddress ClientAddressOf(IHeaderDictionary headers) =>
        _isTrusted ? _proxies.ClientOf(headers[TrustedProxies.Header], _address) : _address;

    /// <summary>The client's address as text. Valid until the next call.</summary>
    internal ReadOnlySpan<byte> ClientOf<THeaders>(THeaders headers)
        where THeaders : struct, IForwardedHeaders
    {
        if (!_isTrusted)
        {
            return _own;
        }

        // Trusted proxies that speak HTTP/2 pay with an allocation each.
        return _isShared ? new Peer(_address, _proxies, _own, _ownAddress, isTrusted: true, isShared: false).ClientOf(headers)
            : LastClientOf(headers);
    }

    /// <inheritdoc cref="ClientOf{THeaders}(THeaders)"/>
    internal ReadOnlySpan<byte> ClientOf(IHeaderDictionary headers) => ClientOf(new ForwardedHeaders(headers));

    private ReadOnlySpan<byte> LastClientOf<THeaders>(THeaders headers)
        where THeaders : struct, IForwardedHeaders
    {
        StringValues forwarded = headers.ForwardedFor;
        if (forwarded.Count == 1 && _lastForwarded is not null && string.Equals(forwarded[0], _lastForwarded, StringComparison.Ordinal))
        {
            return _client.AsSpan(0, _clientLength);
        }

        // From here on the last answer is overwritten, also by what turns out to be no address.
        _lastForwarded = null;
        foreach (string? line in forwarded)
        {
            foreach (Range part in line.AsSpan().Split(','))
            {
                if (AddressText.TryReadPublic(line.AsSpan()[part], _client, out _clientLength))
                {
                    _lastForwarded = forwarded.Count == 1 ? line : null;
                    return _client.AsSpan(0, _clientLength);
                }
            }
        }

        StringValues viewer = headers.ViewerAddress;
        if (viewer.Count == 1 && AddressText.TryReadWithPort(viewer[0], _client, out _clientLength))
        {
            return _client.AsSpan(0, _clientLength);
        }

        return _own;
    }

    /// <summary>A write key as it was sent, and whose it is by a table.</summary>
    internal sealed record KeySeen(string Text, Sender Sender, SenderTable Table);

    private sealed record AddressSeen(string Text, ulong Key);
}
