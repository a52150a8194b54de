// The id of a message's row: made of its time and position, so that it is the same whenever it is stored.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Estat.Topics.Messages;

namespace Estat.Topics.Postgres;

/// <summary>
/// A UUIDv8: 48 bits of milliseconds since 1970, then SHA-256 of topic, partition and offset in the rest. Ids sort by time, and the time that is read
/// back out of one says which day's partition holds its row.
/// </summary>
internal static class MessageId
{
    /// <summary>Times that a row can have: not before 1970, and no later than what .NET can say.</summary>
    internal const long TimeEnd = 253_402_300_800_000;

    private const int Bytes = 16;

    /// <summary>The id of a message.</summary>
    /// <param name="at">Where it is in the log.</param>
    /// <param name="time">Milliseconds since 1970, within bounds.</param>
    internal static Guid Of(in MessagePosition at, long time)
    {
        Span<byte> position = stackalloc byte[TopicName.Most + 1 + sizeof(int) + sizeof(long)];
        int length = Encoding.ASCII.GetBytes(at.Topic, position);
        position[length++] = 0;
        BinaryPrimitives.WriteInt32BigEndian(position[length..], at.Partition);
        BinaryPrimitives.WriteInt64BigEndian(position[(length + sizeof(int))..], at.Offset);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(position[..(length + sizeof(int) + sizeof(long))], hash);
        Span<byte> id = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(id, time << 16);
        hash[..10].CopyTo(id[6..]);
        id[6] = (byte)(0x80 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        return new Guid(id, bigEndian: true);
    }

    /// <summary>The time in an id; null when it is none of ours.</summary>
    /// <param name="id">From a client.</param>
    internal static long? TimeOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        long time = BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16;
        return bytes[6] >> 4 == 8 && time < TimeEnd ? time : null;
    }
}
