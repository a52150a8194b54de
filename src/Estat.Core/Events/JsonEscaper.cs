// Escapes bytes into a JSON string, a vector at a time. Bodies are stored as the string that they were; this is the only work done on them.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;

namespace Estat.Core.Events;

/// <summary>Writes UTF-8 as the inside of a JSON string: <c>"</c>, <c>\</c> and controls are escaped, everything else is copied.</summary>
internal static class JsonEscaper
{
    /// <summary>Bytes that a byte of input can become at most (<c>\u0000</c>).</summary>
    internal const int Growth = 6;

    /// <summary>Room past the last byte that the vector stores may touch.</summary>
    internal const int Slack = 64;

    /// <summary>
    /// Escapes <paramref name="source"/>; invalid UTF-8 becomes U+FFFD, one per maximal subpart, as the WHATWG and .NET decoders do.
    /// </summary>
    /// <param name="source">Any bytes.</param>
    /// <param name="destination">At least <c>Growth * source.Length + Slack</c> bytes.</param>
    /// <returns>Bytes written.</returns>
    internal static int Escape(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (destination.Length < (Growth * source.Length) + Slack)
        {
            throw new ArgumentException($"{destination.Length} bytes of room for {source.Length} of input", nameof(destination));
        }

        return Utf8.IsValid(source) ? EscapeValid(source, destination) : EscapeRepairing(source, destination);
    }

    private static int EscapeValid(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(destination);
        nuint read = 0;
        nuint written = 0;
        nuint length = (nuint)source.Length;
        Vector256<byte> quote = Vector256.Create((byte)'"');
        Vector256<byte> backslash = Vector256.Create((byte)'\\');
        Vector256<byte> space = Vector256.Create((byte)' ');

        // Each round stores 32 bytes whether or not all of them count; the next round overwrites what does not. Room for it: Slack.
        while (read + (nuint)Vector256<byte>.Count <= length)
        {
            Vector256<byte> block = Vector256.LoadUnsafe(ref from, read);
            block.StoreUnsafe(ref to, written);
            uint hits = (Vector256.Equals(block, quote) | Vector256.Equals(block, backslash) | Vector256.LessThan(block, space)).ExtractMostSignificantBits();
            if (hits == 0)
            {
                read += (nuint)Vector256<byte>.Count;
                written += (nuint)Vector256<byte>.Count;
                continue;
            }

            nuint plain = (nuint)BitOperations.TrailingZeroCount(hits);
            read += plain;
            written += plain;
            written += WriteEscape(Unsafe.Add(ref from, read), ref Unsafe.Add(ref to, written));
            read++;
        }

        for (; read < length; read++)
        {
            byte value = Unsafe.Add(ref from, read);
            if (value is (byte)'"' or (byte)'\\' or < (byte)' ')
            {
                written += WriteEscape(value, ref Unsafe.Add(ref to, written));
            }
            else
            {
                Unsafe.Add(ref to, written++) = value;
            }
        }

        return (int)written;
    }

    private static nuint WriteEscape(byte value, ref byte to)
    {
        byte letter = value switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            _ => 0,
        };
        to = (byte)'\\';
        if (letter != 0)
        {
            Unsafe.Add(ref to, 1) = letter;
            return 2;
        }

        Unsafe.Add(ref to, 1) = (byte)'u';
        Unsafe.Add(ref to, 2) = (byte)'0';
        Unsafe.Add(ref to, 3) = (byte)'0';
        Unsafe.Add(ref to, 4) = (byte)('0' + (value >> 4));
        Unsafe.Add(ref to, 5) = "0123456789abcdef"u8[value & 0xF];
        return 6;
    }

    private static int EscapeRepairing(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int written = 0;
        while (!source.IsEmpty)
        {
            int valid = source.IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            valid = valid < 0 ? source.Length : valid;
            written += EscapeValid(source[..valid], destination[written..]);
            source = source[valid..];
            if (source.IsEmpty)
            {
                break;
            }

            // DecodeFromUtf8 yields U+FFFD and the length of the maximal subpart for what is invalid.
            _ = Rune.DecodeFromUtf8(source, out Rune rune, out int consumed);
            written += rune.EncodeToUtf8(destination[written..]);
            source = source[consumed..];
        }

        return written;
    }
}
