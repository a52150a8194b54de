// The bytes of a segment: a head with the batch's key and a slot for its seal, then records.
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Storage;

namespace Estat.Collect.Spooling;

/// <summary>
/// All integers are little-endian. Head, <see cref="HeadBytes"/>: identity (magic, version, nonce, opening time, key, CRC-32C) from 0, seal slot
/// (magic, events, bytes, last sequence, SHA-256, CRC-32C) from <see cref="SealOffset"/>. Record: <see cref="FrameBytes"/> of frame (magic, length,
/// first sequence number, events, CRC-32C), then that many bytes of whole lines.
/// </summary>
/// <remarks>
/// A file gets its name when a head of <see cref="WriteSpare"/> in it is synced. So under a segment's name there is that, or a batch's head, and
/// anything else was damaged. Every checksum begins with the segment's nonce, and that of the head with the file's name besides, so that nothing of
/// another file, such as a block that the disk handed out again, is ever taken for this one's. The seal has its place in the head, which was
/// allocated with the first record: sealing needs no room on a full disk, and a slot that lies in one sector is there whole or not at all.
/// </remarks>
internal static class SegmentFormat
{
    /// <summary>Where the first record begins.</summary>
    internal const int HeadBytes = 2048;

    /// <summary>Where the seal slot begins: on a sector of its own.</summary>
    internal const int SealOffset = 1536;

    /// <summary>Bytes before a record's lines.</summary>
    internal const int FrameBytes = 24;

    /// <summary>S3's own limit for keys, bytes of UTF-8.</summary>
    internal const int LongestKey = 1024;

    private const uint HeadMagic = 0x5350_5345; // "ESPS"
    private const uint SealMagic = 0x4C53_5345; // "ESSL"
    private const uint RecordMagic = 0x4352_5345; // "ESRC"
    private const uint SpareMagic = 0x554E_5345; // "ESNU"
    private const ushort Version = 1;
    private const int KeyOffset = 24;
    private const int SealBytes = 64;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes the identity; the seal slot stays empty.</summary>
    internal static void WriteHead(Span<byte> head, string fileName, SegmentIdentity identity)
    {
        head[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(head, HeadMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], Version);
        int keyLength = Utf8.GetBytes(identity.Key, head[KeyOffset..SealOffset]);
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], checked((ushort)keyLength));
        BinaryPrimitives.WriteUInt64LittleEndian(head[8..], identity.Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], identity.Opened.ToUnixTimeMilliseconds());
        int end = KeyOffset + keyLength;
        BinaryPrimitives.WriteUInt32LittleEndian(head[end..], HeadChecksum(fileName, identity.Nonce, head[..end]));
    }

    /// <summary>
    /// Fills the head of a segment that is made in advance: synced before the file gets its name, it says for sure that no batch ever had it.
    /// </summary>
    internal static void WriteSpare(Span<byte> head, string fileName)
    {
        head[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(head, SpareMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], HeadChecksum(fileName, 0, head[..8]));
    }

    /// <summary>Whether the head is one that <see cref="WriteSpare"/> made: nothing was ever acknowledged in this file.</summary>
    internal static bool IsSpare(ReadOnlySpan<byte> head, string fileName) =>
        head.Length >= HeadBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(head) == SpareMagic
        && BinaryPrimitives.ReadUInt32LittleEndian(head[8..]) == HeadChecksum(fileName, 0, head[..8]);

    /// <summary>
    /// Writes this version over another. If the checksum holds then, the head was this version's, and the byte was damaged: another version's
    /// checksum has its own in it.
    /// </summary>
    internal static void WriteVersion(Span<byte> head) => BinaryPrimitives.WriteUInt16LittleEndian(head[4..], Version);

    /// <summary>Whether the bytes begin as a head does, of a version that this code does not know.</summary>
    internal static bool IsOfOtherVersion(ReadOnlySpan<byte> head) =>
        BinaryPrimitives.ReadUInt32LittleEndian(head) == HeadMagic && BinaryPrimitives.ReadUInt16LittleEndian(head[4..]) != Version;

    /// <summary>Null when the bytes are no head of this version, or that of another file.</summary>
    internal static SegmentIdentity? ReadHead(ReadOnlySpan<byte> head, string fileName)
    {
        if (head.Length < HeadBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(head) != HeadMagic
            || BinaryPrimitives.ReadUInt16LittleEndian(head[4..]) != Version)
        {
            return null;
        }

        int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(head[6..]);
        ulong nonce = BinaryPrimitives.ReadUInt64LittleEndian(head[8..]);
        int end = KeyOffset + keyLength;
        if (keyLength is 0 or > LongestKey || BinaryPrimitives.ReadUInt32LittleEndian(head[end..]) != HeadChecksum(fileName, nonce, head[..end]))
        {
            return null;
        }

        DateTimeOffset opened = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(head[16..]));
        return new SegmentIdentity(Utf8.GetString(head[KeyOffset..end]), opened, nonce);
    }

    /// <summary>The content of the seal slot.</summary>
    internal static byte[] SealSlot(ulong nonce, Seal seal)
    {
        var slot = new byte[SealBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(slot, SealMagic);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(4), seal.Events);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(12), seal.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(20), seal.LastSequence);
        Convert.FromHexString(seal.Sha256, slot.AsSpan(28, SHA256.HashSizeInBytes), out _, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(60), Checksum(nonce, slot.AsSpan(0, 60)));
        return slot;
    }

    /// <summary>Null when the head carries no seal, or half of one.</summary>
    internal static Seal? ReadSeal(ReadOnlySpan<byte> head, ulong nonce)
    {
        ReadOnlySpan<byte> slot = head.Slice(SealOffset, SealBytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(slot) == SealMagic
            && BinaryPrimitives.ReadUInt32LittleEndian(slot[60..]) == Checksum(nonce, slot[..60])
            ? new Seal(
                BinaryPrimitives.ReadInt64LittleEndian(slot[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(slot[12..]),
                Convert.ToHexStringLower(slot.Slice(28, SHA256.HashSizeInBytes)),
                BinaryPrimitives.ReadInt64LittleEndian(slot[20..]))
            : null;
    }

    /// <summary>Fills the frame in front of a record's lines.</summary>
    internal static void WriteFrame(Span<byte> frame, ulong nonce, long firstSequence, int events, ReadOnlySpan<byte> lines)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, RecordMagic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], lines.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], firstSequence);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], events);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[20..], RecordChecksum(nonce, frame, lines));
    }

    /// <summary>Null when the bytes begin no record.</summary>
    internal static RecordFrame? ReadFrame(ReadOnlySpan<byte> frame) =>
        frame.Length >= FrameBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(frame) == RecordMagic
        && BinaryPrimitives.ReadInt32LittleEndian(frame[4..]) is > 0 and var length
        && BinaryPrimitives.ReadInt64LittleEndian(frame[8..]) is > 0 and var first
        && BinaryPrimitives.ReadInt32LittleEndian(frame[16..]) is > 0 and var events
            ? new RecordFrame(length, first, events)
            : null;

    /// <summary>Whether the checksum of a record holds.</summary>
    internal static bool IsSound(ReadOnlySpan<byte> frame, ulong nonce, ReadOnlySpan<byte> lines) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[20..]) == RecordChecksum(nonce, frame, lines);

    /// <summary>Where the next record might begin at or after <paramref name="from"/>; −1 when nowhere.</summary>
    internal static int IndexOfFrame(ReadOnlySpan<byte> bytes, int from)
    {
        uint magic = BitConverter.IsLittleEndian ? RecordMagic : BinaryPrimitives.ReverseEndianness(RecordMagic);
        int at = bytes[from..].IndexOf(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in magic)));
        return at < 0 ? -1 : from + at;
    }

    private static uint HeadChecksum(string fileName, ulong nonce, ReadOnlySpan<byte> head) =>
        ~Crc32C(Crc32C(BitOperations.Crc32C(~0u, nonce), Utf8.GetBytes(fileName)), head);

    private static uint RecordChecksum(ulong nonce, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> lines) =>
        ~Crc32C(Crc32C(BitOperations.Crc32C(~0u, nonce), frame[..20]), lines);

    private static uint Checksum(ulong nonce, ReadOnlySpan<byte> bytes) => ~Crc32C(BitOperations.Crc32C(~0u, nonce), bytes);

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

/// <summary>Whose segment it is.</summary>
/// <param name="Key">The batch's key.</param>
/// <param name="Opened">When the batch opened, UTC; to the millisecond.</param>
/// <param name="Nonce">Random; begins every checksum of the segment.</param>
internal sealed record SegmentIdentity(string Key, DateTimeOffset Opened, ulong Nonce);

/// <summary>What the frame of a record says.</summary>
/// <param name="Length">Bytes of lines.</param>
/// <param name="FirstSequence">Number of the first event in its batch, from 1.</param>
/// <param name="Events">Lines.</param>
internal readonly record struct RecordFrame(int Length, long FirstSequence, int Events);
