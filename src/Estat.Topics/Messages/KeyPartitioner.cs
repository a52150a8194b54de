// Which partition a key belongs to: as Java's Kafka producer decides it.
using System.Buffers.Binary;

namespace Estat.Topics.Messages;

/// <summary>murmur2 of the key, so that both logs, and Kafka's own Java producers, agree on it.</summary>
internal static class KeyPartitioner
{
    // Of org.apache.kafka.common.utils.Utils.murmur2.
    private const uint Seed = 0x9747b28c;
    private const uint Multiplier = 0x5bd1e995;

    /// <summary>The partition of a key.</summary>
    /// <param name="key">Its bytes; an empty key is a key.</param>
    /// <param name="partitions">Partitions of the topic, at least 1.</param>
    internal static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)(Hash(key) & 0x7fffffff) % partitions;

    /// <summary>murmur2, 32 bits.</summary>
    internal static uint Hash(ReadOnlySpan<byte> key)
    {
        uint hash = Seed ^ (uint)key.Length;
        while (key.Length >= sizeof(uint))
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(key) * Multiplier;
            word ^= word >> 24;
            hash = (hash * Multiplier) ^ (word * Multiplier);
            key = key[sizeof(uint)..];
        }

        for (int index = key.Length - 1; index >= 0; index--)
        {
            hash ^= (uint)key[index] << (8 * index);
        }

        hash = key.Length > 0 ? hash * Multiplier : hash;
        hash = (hash ^ (hash >> 13)) * Multiplier;
        return hash ^ (hash >> 15);
    }
}
