// A block: the records that one sync made durable.
using System.Buffers.Binary;

namespace Estat.Base.Journal;

/// <summary>Records as they were appended. Valid until its cursor is used again, or disposed of.</summary>
/// <param name="position">Where it begins.</param>
/// <param name="count">Its records.</param>
/// <param name="content">Each record's length (4 bytes, little-endian) and bytes.</param>
public readonly struct JournalBlock(long position, int count, ReadOnlyMemory<byte> content)
{
    /// <summary>Bytes before each record.</summary>
    internal const int LengthBytes = sizeof(int);

    /// <summary>Where it begins.</summary>
    public long Position { get; } = position;

    /// <summary>Records in it, at least 1.</summary>
    public int Count { get; } = count;

    /// <summary>The records, in order; the first has index 0 in <see cref="JournalPosition"/>.</summary>
    /// <exception cref="JournalDamagedException">The block's checksum holds, and its content is no list of that many records.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Records()
    {
        ReadOnlyMemory<byte> rest = content;
        for (int index = 0; index < Count; index++)
        {
            int length = rest.Length < LengthBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            if (length < 0 || length > rest.Length - LengthBytes)
            {
                throw new JournalDamagedException(Position, "the lengths of its records do not fit");
            }

            yield return rest.Slice(LengthBytes, length);
            rest = rest[(LengthBytes + length)..];
        }
    }
}
