// Addresses as proxies write them: "203.0.113.7", "203.0.113.7:4711", "2001:db8::1", "[2001:db8::1]:4711".
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Estat.Api.ClientAddress;

/// <summary>Reads client addresses out of forwarding headers. IPv4, the common case, allocates nothing.</summary>
internal static class AddressText
{
    /// <summary>Reads a public address, with or without port, and writes it without.</summary>
    internal static bool TryReadPublic(ReadOnlySpan<char> text, Span<byte> destination, out int length)
    {
        text = text.Trim();
        length = 0;
        if (TryParseIPv4(WithoutPort(text), out uint address))
        {
            return IsPublic(address) && Encoding.ASCII.TryGetBytes(WithoutPort(text), destination, out length);
        }

        ReadOnlySpan<char> bare = text is ['[', ..] && text.IndexOf(']') is > 0 and int end ? text[1..end] : text;
        return TryParseIPv6(bare, out IPAddress? parsed) && Write(parsed, onlyPublic: true, destination, out length);
    }

    /// <summary>Reads CloudFront's <c>address:port</c>, in which an IPv6 address stands without brackets.</summary>
    internal static bool TryReadWithPort(ReadOnlySpan<char> text, Span<byte> destination, out int length)
    {
        length = 0;
        int colon = text.LastIndexOf(':');
        ReadOnlySpan<char> bare = (colon < 0 ? text : text[..colon]).Trim();
        if (TryParseIPv4(bare, out _))
        {
            return Encoding.ASCII.TryGetBytes(bare, destination, out length);
        }

        bare = bare is ['[', .., ']'] ? bare[1..^1] : bare;
        return TryParseIPv6(bare, out IPAddress? parsed) && Write(parsed, onlyPublic: false, destination, out length);
    }

    /// <summary>Reads any address, with or without port; null when it is none. Not on the way of every event: it allocates.</summary>
    internal static IPAddress? TryRead(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (TryParseIPv4(WithoutPort(text), out uint address))
        {
            return new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]);
        }

        ReadOnlySpan<char> bare = text is ['[', ..] && text.IndexOf(']') is > 0 and int end ? text[1..end] : text;
        return !TryParseIPv6(bare, out IPAddress? parsed) ? null : parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
    }

    private static bool Write(IPAddress address, bool onlyPublic, Span<byte> destination, out int length)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
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

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> text)
    {
        int colon = text.IndexOf(':');
        return colon > 0 && text.LastIndexOf(':') == colon ? text[..colon] : text;
    }

    // IPAddress also takes numbers such as 1234567890 and 1.2 for IPv4 addresses.
    private static bool TryParseIPv6(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return text.Contains(':') && IPAddress.TryParse(text, out address);
    }

    private static bool TryParseIPv4(ReadOnlySpan<char> text, out uint address)
    {
        address = 0;
        int parts = 0;
        uint part = 0;
        int digits = 0;
        foreach (char c in text)
        {
            if (char.IsAsciiDigit(c) && digits < 3)
            {
                part = (part * 10) + (uint)(c - '0');
                digits++;
            }
            else if (c == '.' && digits > 0 && part <= 255 && parts < 3)
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
        return parts == 3 && digits > 0 && part <= 255;
    }
}
