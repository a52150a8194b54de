// Reads the head of a request that is wholly there and plainly well formed.
using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Estat.Http.Intake;

namespace Estat.Http.FastDoor;

/// <summary>
/// The head of one request after another of a connection. It takes less than HTTP allows: whatever is missing, doubled, escaped, coded or unusual is
/// left to Kestrel, which then reads it from its first byte. What it takes it reads as Kestrel does. Header texts are kept from one request to the
/// next, as clients repeat them: only one that has changed is made anew. Used by one thread at a time.
/// </summary>
internal sealed class RequestHead
{
    // Kestrel's bound (KestrelSetup) is 64; a head that fits a block of memory has fewer, but for a client that tries.
    private const int MostHeaders = 48;
    private const int MostDigits = 7; // of a Content-Length: a body that fits a block of memory has four

    private static readonly SearchValues<byte> NameBytes = SearchValues.Create(Encoding.ASCII.GetBytes(HttpToken.Characters));

    // Of a host, a subset of what Kestrel takes: names, IPv4 and a port.
    private static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"u8);

    private readonly string?[] _texts = new string?[KnownHeaders.Count];
    private readonly (int Start, int Length)[] _values = new (int, int)[KnownHeaders.Count];
    private ReadOnlyMemory<byte> _received;
    private uint _present;

    /// <summary>Bytes of the body.</summary>
    internal int ContentLength { get; private set; }

    /// <summary>Bytes before the body.</summary>
    internal int Length { get; private set; }

    /// <summary>Reads a head.</summary>
    /// <param name="received">What has come, from the request's first byte on. Has to stay as it is until the next call.</param>
    /// <param name="requestLine">The only request line that is taken, with its CRLF.</param>
    /// <returns>False: it is not for this door, or its end has not come.</returns>
    internal bool TryRead(ReadOnlyMemory<byte> received, ReadOnlySpan<byte> requestLine)
    {
        ReadOnlySpan<byte> bytes = received.Span;
        if (!bytes.StartsWith(requestLine))
        {
            return false;
        }

        _received = received;
        _present = 0;
        int at = requestLine.Length;
        for (int headers = 0; ; headers++)
        {
            int end = bytes[at..].IndexOf((byte)'\n');
            if (end < 1 || bytes[at + end - 1] != '\r')
            {
                return false;
            }

            if (end == 1)
            {
                Length = at + 2;
                return Has(KnownHeader.Host) && Has(KnownHeader.ContentLength);
            }

            if (headers == MostHeaders || !TryReadHeader(bytes, at, end - 1))
            {
                return false;
            }

            at += end + 1;
        }
    }

    /// <summary>A header's text; null when it was not sent.</summary>
    internal string? Text(KnownHeader header)
    {
        if (!Has(header))
        {
            return null;
        }

        ReadOnlySpan<byte> value = Value(header);
        string? last = _texts[(int)header];
        return last is not null && Ascii.Equals(value, last) ? last : _texts[(int)header] = Encoding.ASCII.GetString(value);
    }

    /// <summary>Lets go of what was received; the texts stay.</summary>
    internal void Release()
    {
        _received = default;
        _present = 0;
    }

    private bool Has(KnownHeader header) => (_present & (1u << (int)header)) != 0;

    private ReadOnlySpan<byte> Value(KnownHeader header)
    {
        (int start, int length) = _values[(int)header];
        return _received.Span.Slice(start, length);
    }

    private bool TryReadHeader(ReadOnlySpan<byte> bytes, int start, int length)
    {
        ReadOnlySpan<byte> line = bytes.Slice(start, length);
        int colon = line.IndexOf((byte)':');
        if (colon < 1)
        {
            return false;
        }

        ReadOnlySpan<byte> name = line[..colon];
        KnownHeader header = KnownHeaders.Find(name);
        if (header == KnownHeader.Foreign || (header == KnownHeader.Other && name.ContainsAnyExcept(NameBytes)))
        {
            return false;
        }

        int from = colon + 1;
        int to = line.Length;
        while (from < to && line[from] == ' ')
        {
            from++;
        }

        while (to > from && line[to - 1] == ' ')
        {
            to--;
        }

        ReadOnlySpan<byte> value = line[from..to];
        // A tab is white space at a value's ends, and other controls and bytes beyond ASCII are Kestrel's to judge.
        if (value.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            return false;
        }

        if (header == KnownHeader.Other)
        {
            return true;
        }

        uint bit = 1u << (int)header;
        if ((_present & bit) != 0)
        {
            return false;
        }

        _present |= bit;
        _values[(int)header] = (start + from, to - from);
        return header switch
        {
            KnownHeader.ContentLength => TryReadLength(value),
            KnownHeader.Host => IsPlainHost(value),
            KnownHeader.Connection => Ascii.EqualsIgnoreCase(value, "keep-alive"u8),
            _ => true,
        };
    }

    private bool TryReadLength(ReadOnlySpan<byte> value)
    {
        if (value.Length is 0 or > MostDigits || value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || !Utf8Parser.TryParse(value, out int length, out int read) || read != value.Length)
        {
            return false;
        }

        ContentLength = length;
        return true;
    }

    private static bool IsPlainHost(ReadOnlySpan<byte> value)
    {
        int colon = value.IndexOf((byte)':');
        ReadOnlySpan<byte> name = colon < 0 ? value : value[..colon];
        ReadOnlySpan<byte> port = colon < 0 ? "0"u8 : value[(colon + 1)..];
        return !name.IsEmpty && !name.ContainsAnyExcept(HostBytes)
            && port.Length is > 0 and <= 5 && !port.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
