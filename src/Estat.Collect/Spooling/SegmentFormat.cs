// The bytes of a segment: a head with the batch's key and a slot for its seal, then records.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Journal;
using Estat.Base.Storage;

namespace Estat.Collect.Spooling;

/// <summary>
/// All integers are little-endian. Head, <see cref="HeadBytes"/>: identity (magic, version, nonce, opening time, key, CRC-32C) from 0, seal slot
/// (magic, events, bytes, last sequence, SHA-256, CRC-32C) from <see cref="SealOffset"/>. Then records of whole lines, each event an item
/// (<see cref="RecordFormat"/>).
/// </summary>
/// <remarks>
/// A file gets its name when a head of <see cref="WriteSpare"/> in it is synced. So under a segment's name there is that, or a batch's head, and
/// anything else was damaged. The seal has its place in the head, which was allocated with the first record: sealing needs no room on a full disk,
/// and a slot that lies in one sector is there whole or not at all.
/// </remarks>
internal static class SegmentFormat
{
    /// <summary>Where the first record begins.</summary>
    internal const int HeadBytes = 2048;

    /// <summary>Where the seal slot begins: on a sector of its own.</summary>
    internal const int SealOffset = 1536;

    /// <summary>S3's own limit for keys, bytes of UTF-8.</summary>
    internal const int LongestKey = 1024;

    private const uint HeadMagic = 0x5350_5345; // "ESPS"
    private const uint SealMagic = 0x4C53_5345; // "ESSL"
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
        BinaryPrimitives.WriteUInt32LittleEndian(head[end..], RecordFormat.HeadChecksum(fileName, identity.Nonce, head[..end]));
    }

    /// <summary>
    /// Fills the head of a segment that is made in advance: synced before the file gets its name, it says for sure that no batch ever had it.
    /// </summary>
    internal static void WriteSpare(Span<byte> head, string fileName)
    {
        head[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(head, SpareMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], RecordFormat.HeadChecksum(fileName, 0, head[..8]));
    }

    /// <summary>Whether the head is one that <see cref="WriteSpare"/> made: nothing was ever acknowledged in this file.</summary>
    internal static bool IsSpare(ReadOnlySpan<byte> head, string fileName) =>
        head.Length >= HeadBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(head) == SpareMagic
        && BinaryPrimitives.ReadUInt32LittleEndian(head[8..]) == RecordFormat.HeadChecksum(fileName, 0, head[..8]);

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
        if (keyLength is 0 or > LongestKey
            || BinaryPrimitives.ReadUInt32LittleEndian(head[end..]) != RecordFormat.HeadChecksum(fileName, nonce, head[..end]))
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
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(60), RecordFormat.Checksum(nonce, slot.AsSpan(0, 60)));
        return slot;
    }

    /// <summary>Null when the head carries no seal, or half of one.</summary>
    internal static Seal? ReadSeal(ReadOnlySpan<byte> head, ulong nonce)
    {
        ReadOnlySpan<byte> slot = head.Slice(SealOffset, SealBytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(slot) == SealMagic
            && BinaryPrimitives.ReadUInt32LittleEndian(slot[60..]) == RecordFormat.Checksum(nonce, slot[..60])
            ? new Seal(
                BinaryPrimitives.ReadInt64LittleEndian(slot[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(slot[12..]),
                Convert.ToHexStringLower(slot.Slice(28, SHA256.HashSizeInBytes)),
                BinaryPrimitives.ReadInt64LittleEndian(slot[20..]))
            : null;
    }
}

/// <summary>Whose segment it is.</summary>
/// <param name="Key">The batch's key.</param>
/// <param name="Opened">When the batch opened, UTC; to the millisecond.</param>
/// <param name="Nonce">Random; begins every checksum of the segment.</param>
internal sealed record SegmentIdentity(string Key, DateTimeOffset Opened, ulong Nonce);
