// A journal's segments: their names and heads.
using System.Buffers.Binary;
using System.Globalization;

namespace Estat.Base.Journal;

/// <summary>
/// A segment is a head of <see cref="HeadBytes"/> (magic, version, nonce, start, CRC-32C with the file's name; little-endian), then blocks, which are
/// records (<see cref="RecordFormat"/>). Its name is its start, 16 hex digits.
/// </summary>
internal static class JournalFormat
{
    /// <summary>Where the first block begins: a sector.</summary>
    internal const int HeadBytes = 512;

    private const string Extension = ".journal";
    private const uint Magic = 0x4C4A_5345; // "ESJL"
    private const ushort Version = 1;
    private const int ChecksumOffset = 24;

    /// <summary>The name of the segment that begins at a position.</summary>
    internal static string NameOf(long start) => string.Create(CultureInfo.InvariantCulture, $"{start:x16}{Extension}");

    /// <summary>Where a segment begins, by its name; null when it is not the name of one.</summary>
    internal static long? StartOf(string name) =>
        name.Length == 16 + Extension.Length && name.EndsWith(Extension, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long start) && start >= 0
        && NameOf(start) == name
            ? start
            : null;

    /// <summary>The head of a segment.</summary>
    internal static byte[] Head(long start, ulong nonce)
    {
        var head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), nonce);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), start);
        BinaryPrimitives.WriteUInt32LittleEndian(
            head.AsSpan(ChecksumOffset), RecordFormat.HeadChecksum(NameOf(start), nonce, head.AsSpan(0, ChecksumOffset)));
        return head;
    }

    /// <summary>The nonce of the segment that begins at a position.</summary>
    /// <exception cref="JournalDamagedException">Its head is not what it was written as.</exception>
    internal static ulong ReadNonce(IJournalFile file, long start)
    {
        Span<byte> head = stackalloc byte[ChecksumOffset + sizeof(uint)];
        if (RecordReader.ReadFully(file, 0, head) < head.Length || BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic)
        {
            throw new JournalDamagedException(start, $"the head of {NameOf(start)} is not readable");
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(head[4..]) is not Version and var other)
        {
            throw new JournalDamagedException(
                start, $"{NameOf(start)} is of format {other}, and this version of Estat reads {Version}; start the one that wrote it");
        }

        ulong nonce = BinaryPrimitives.ReadUInt64LittleEndian(head[8..]);
        return BinaryPrimitives.ReadInt64LittleEndian(head[16..]) == start && BinaryPrimitives.ReadUInt32LittleEndian(head[ChecksumOffset..])
                == RecordFormat.HeadChecksum(NameOf(start), nonce, head[..ChecksumOffset])
            ? nonce
            : throw new JournalDamagedException(start, $"the head of {NameOf(start)} is not readable");
    }
}
