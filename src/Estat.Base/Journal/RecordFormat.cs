// The bytes of a record: a frame, then what it carries.
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Estat.Base.Journal;

/// <summary>
/// All integers are little-endian. Record: <see cref="FrameBytes"/> of frame (magic, length, number of its first item in the file, items, CRC-32C),
/// then that many bytes of content. An item is what the journal's owner counts: a line, a message.
/// </summary>
/// <remarks>
/// Every checksum begins with the file's nonce, so that nothing of another file, such as a block that the disk handed out again, is ever taken for
/// this one's. CRC-32C, as processors compute it.
/// </remarks>
internal static class RecordFormat
{
    /// <summary>Bytes before a record's content.</summary>
    internal const int FrameBytes = 24;

    private const uint Magic = 0x4352_5345; // "ESRC"

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Fills the frame in front of a record's content.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="nonce">The file's.</param>
    /// <param name="first">Number of its first item in the file, from 1.</param>
    /// <param name="items">Items, at least 1.</param>
    /// <param name="content">At least one byte.</param>
    internal static void WriteFrame(Span<byte> frame, ulong nonce, long first, int items, ReadOnlySpan<byte> content)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], content.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], first);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], items);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[20..], RecordChecksum(nonce, frame, content));
    }

    /// <summary>Null when the bytes begin no record.</summary>
    internal static RecordFrame? ReadFrame(ReadOnlySpan<byte> frame) =>
        frame.Length >= FrameBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(frame) == Magic
        && BinaryPrimitives.ReadInt32LittleEndian(frame[4..]) is > 0 and var length
        && BinaryPrimitives.ReadInt64LittleEndian(frame[8..]) is > 0 and var first
        && BinaryPrimitives.ReadInt32LittleEndian(frame[16..]) is > 0 and var items
            ? new RecordFrame(length, first, items)
            : null;

    /// <summary>Whether the checksum of a record holds.</summary>
    internal static bool IsSound(ReadOnlySpan<byte> frame, ulong nonce, ReadOnlySpan<byte> content) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[20..]) == RecordChecksum(nonce, frame, content);

    /// <summary>Where the next record might begin at or after <paramref name="from"/>; −1 when nowhere.</summary>
    internal static int IndexOfFrame(ReadOnlySpan<byte> bytes, int from)
    {
        uint magic = BitConverter.IsLittleEndian ? Magic : BinaryPrimitives.ReverseEndianness(Magic);
        int at = bytes[from..].IndexOf(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in magic)));
        return at < 0 ? -1 : from + at;
    }

    /// <summary>The checksum of a file's head, which holds for no other name.</summary>
    internal static uint HeadChecksum(string fileName, ulong nonce, ReadOnlySpan<byte> head) =>
        ~Crc32C(Crc32C(BitOperations.Crc32C(~0u, nonce), Utf8.GetBytes(fileName)), head);

    /// <summary>The checksum of anything else that stands in a file.</summary>
    internal static uint Checksum(ulong nonce, ReadOnlySpan<byte> bytes) => ~Crc32C(BitOperations.Crc32C(~0u, nonce), bytes);

    private static uint RecordChecksum(ulong nonce, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> content) =>
        ~Crc32C(Crc32C(BitOperations.Crc32C(~0u, nonce), frame[..20]), content);

    private static uint Crc32C(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }
}

/// <summary>What the frame of a record says.</summary>
/// <param name="Length">Bytes of content.</param>
/// <param name="First">Number of its first item in the file, from 1.</param>
/// <param name="Items">Items.</param>
internal readonly record struct RecordFrame(int Length, long First, int Items);
