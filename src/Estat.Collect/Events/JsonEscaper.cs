// Escapes bytes into a JSON string, a vector at a time. Bodies are stored as the string that they were; this is the only work done on them.
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;

namespace Estat.Collect.Events;

/// <summary>Writes UTF-8 as the inside of a JSON string: <c>"</c>, <c>\</c> and controls are escaped, everything else is copied.</summary>
internal static class JsonEscaper
{
    /// <summary>Bytes that a byte of input can become at most (<c>\u0000</c>).</summary>
    internal const int Growth = 6;

    /// <summary>Room past the last byte that the vector stores may touch.</summary>
    internal const int Slack = 64;

    private const nuint Block = 32; // bytes of a vector
    private const nuint Readable = 2 * Block;
    private const int LengthShift = 56;
    private static readonly ulong[] Escapes = MakeEscapes();

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
        for (; read + Readable <= length; read += Block)
        {
            written += EscapeBlock(ref Unsafe.Add(ref from, read), Block, ref Unsafe.Add(ref to, written));
        }

        // The end stands where one may read past it.
        Span<byte> rest = stackalloc byte[(int)(Readable + Block)];
        source[(int)read..].CopyTo(rest);
        for (nuint at = 0; read + at < length; at += Block)
        {
            written += EscapeBlock(ref rest[(int)at], nuint.Min(Block, length - read - at), ref Unsafe.Add(ref to, written));
        }

        return (int)written;
    }

    // Escapes at most a block of bytes. Reads up to two blocks, and stores a block at a time, whether or not all of it counts: the next store
    // overwrites what does not. One comparison finds all that is to be escaped; what stands between is copied again from where it begins, so that
    // nothing waits for it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint EscapeBlock(ref byte from, nuint count, ref byte to)
    {
        Vector256<byte> block = Vector256.LoadUnsafe(ref from);
        block.StoreUnsafe(ref to);
        uint hits = (Vector256.Equals(block, Vector256.Create((byte)'"')) | Vector256.Equals(block, Vector256.Create((byte)'\\'))
            | Vector256.LessThan(block, Vector256.Create((byte)' '))).ExtractMostSignificantBits();
        hits &= uint.MaxValue >> (int)(Block - count);
        nuint done = 0;
        nuint written = 0;
        for (; hits != 0; hits &= hits - 1)
        {
            nuint hit = (nuint)BitOperations.TrailingZeroCount(hits);
            written += hit - done;
            written += WriteEscape(Unsafe.Add(ref from, hit), ref Unsafe.Add(ref to, written));
            done = hit + 1;
            Vector256.LoadUnsafe(ref from, done).StoreUnsafe(ref to, written);
        }

        return written + count - done;
    }

    // Writes eight bytes, of which those count that it returns the number of: a table is quicker than asking which of nine forms it is.
    private static nuint WriteEscape(byte value, ref byte to)
    {
        ulong escape = Escapes[value];
        Unsafe.WriteUnaligned(ref to, BitConverter.IsLittleEndian ? escape : BinaryPrimitives.ReverseEndianness(escape));
        return (nuint)(escape >> LengthShift);
    }

    // By byte: the text of its escape from the lowest byte on, and its length in the highest.
    private static ulong[] MakeEscapes()
    {
        var escapes = new ulong['\\' + 1];
        for (int value = 0; value < ' '; value++)
        {
            Set(value, $"\\u{value:x4}");
        }

        foreach ((char value, char letter) in "\"\"\\\\\nn\rr\tt\bb\ff".Chunk(2).Select(pair => (pair[0], pair[1])))
        {
            Set(value, $"\\{letter}");
        }

        return escapes;

        void Set(int value, string text)
        {
            escapes[value] = (ulong)text.Length << LengthShift;
            for (int i = 0; i < text.Length; i++)
            {
                escapes[value] |= (ulong)text[i] << (8 * i);
            }
        }
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
