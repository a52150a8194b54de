// Addresses as proxies write them: "203.0.113.7", "203.0.113.7:4711", "2001:db8::1", "[2001:db8::1]:4711".
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Estat.Http.ClientAddress;

/// <summary>
/// Reads client addresses out of forwarding headers, strictly, and writes each in one form: no leading zeros, IPv6 as RFC 5952 has it, IPv4 in IPv6
/// as IPv4, no zone. IPv4, the common case, allocates nothing.
/// </summary>
internal static class AddressText
{
    private const int LongestPort = 5;

    /// <summary>Reads a public address, with or without port, and writes it without.</summary>
    internal static bool TryReadPublic(ReadOnlySpan<char> text, Span<byte> destination, out int length)
    {
        text = text.Trim();
        length = 0;
        return TryParseIPv4(WithoutPort(text), out uint address) ? IsPublic(address) && Write(address, destination, out length)
            : TryParseIPv6(WithoutBrackets(text), out IPAddress? parsed) && Write(parsed, onlyPublic: true, destination, out length);
    }

    /// <summary>Reads CloudFront's <c>address:port</c>, in which an IPv6 address stands without brackets.</summary>
    internal static bool TryReadWithPort(ReadOnlySpan<char> text, Span<byte> destination, out int length)
    {
        length = 0;
        text = text.Trim();
        int colon = text.LastIndexOf(':');
        if (colon < 0 || !IsPort(text[(colon + 1)..]))
        {
            return false;
        }

        ReadOnlySpan<char> bare = text[..colon];
        return TryParseIPv4(bare, out uint address) ? Write(address, destination, out length)
            : TryParseIPv6(bare is ['[', .., ']'] ? bare[1..^1] : bare, out IPAddress? parsed)
                && Write(parsed, onlyPublic: false, destination, out length);
    }

    /// <summary>Reads any address, with or without port; null when it is none. Not on the way of every event: it allocates.</summary>
    internal static IPAddress? TryRead(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        return TryParseIPv4(WithoutPort(text), out uint address) ? FromNumber(address)
            : TryParseIPv6(WithoutBrackets(text), out IPAddress? parsed) ? Plain(parsed)
            : null;
    }

    /// <summary>
    /// An address as it is stored and compared: IPv4 as such, and without the zone, which says something on the machine alone that wrote it.
    /// </summary>
    internal static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes())
        : address;

    private static IPAddress FromNumber(uint address) => new([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]);

    private static bool Write(uint address, Span<byte> destination, out int length)
    {
        length = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            if (!((byte)(address >> shift)).TryFormat(destination[length..], out int digits, provider: CultureInfo.InvariantCulture))
            {
                return false;
            }

            length += digits;
            if (shift > 0)
            {
                destination[length++] = (byte)'.';
            }
        }

        return true;
    }

    private static bool Write(IPAddress address, bool onlyPublic, Span<byte> destination, out int length)
    {
        address = Plain(address);
        length = 0;
        return (!onlyPublic || IsPublic(address)) && address.TryFormat(destination, out length);
    }

    private static bool IsPublic(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return IsPublic(BinaryPrimitives.ReadUInt32BigEndian(bytes));
        }

        return !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6UniqueLocal && !address.IsIPv6SiteLocal
            && !address.IsIPv6Multicast && !address.Equals(IPAddress.IPv6Any);
    }

    // The special-purpose ranges of RFC 6890 that are in use, and that no client on the internet has. Those for documentation pass.
    private static bool IsPublic(uint address) => (address >> 24) switch
    {
        0 or 10 or 127 or >= 224 => false,
        100 => (address >> 22) != (100u << 2 | 1), // 100.64.0.0/10
        169 => (address >> 16) != (169u << 8 | 254),
        172 => (address >> 20) != (172u << 4 | 1), // 172.16.0.0/12
        192 => (address >> 16) != (192u << 8 | 168),
        _ => true,
    };

    // Empty, which is no address, if what follows is no port.
    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> text)
    {
        int colon = text.IndexOf(':');
        return colon < 0 ? text : IsPort(text[(colon + 1)..]) ? text[..colon] : default;
    }

    private static ReadOnlySpan<char> WithoutBrackets(ReadOnlySpan<char> text)
    {
        if (text is not ['[', ..])
        {
            return text;
        }

        int end = text.IndexOf(']');
        ReadOnlySpan<char> rest = end < 0 ? "]" : text[(end + 1)..];
        return rest.IsEmpty || (rest[0] == ':' && IsPort(rest[1..])) ? text[1..end] : default;
    }

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= LongestPort && !text.ContainsAnyExceptInRange('0', '9')
            && int.Parse(text, CultureInfo.InvariantCulture) <= ushort.MaxValue;

    // IPAddress also takes numbers such as 1234567890 and 1.2 for IPv4 addresses, brackets and ports, and leading zeros in an IPv4 address behind an
    // IPv6 one.
    private static bool TryParseIPv6(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        int zone = text.IndexOf('%');
        text = zone < 0 ? text : text[..zone];
        int colon = text.LastIndexOf(':');
        return colon >= 0 && text[0] != '[' && (!text.Contains('.') || TryParseIPv4(text[(colon + 1)..], out _))
            && IPAddress.TryParse(text, out address);
    }

    private static bool TryParseIPv4(ReadOnlySpan<char> text, out uint address)
    {
        address = 0;
        int parts = 0;
        uint part = 0;
        int digits = 0;
        foreach (char c in text)
        {
            if (char.IsAsciiDigit(c) && (digits == 0 || part > 0))
            {
                part = (part * 10) + (uint)(c - '0');
                digits++;
                if (part > 255)
                {
                    return false;
                }
            }
            else if (c == '.' && digits > 0 && parts < 3)
            {
                address = (address << 8) | part;
                parts++;
                part = 0;
                digits = 0;
            }
            else
            {
                return false;
            }
        }

        address = (address << 8) | part;
        return parts == 3 && digits > 0;
    }
}
