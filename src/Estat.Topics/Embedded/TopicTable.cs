// Which topics there are, and which number each of their partitions has in the journal.
using System.Collections.Frozen;
using System.Text.Json.Serialization;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>A topic of the table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ordinals">The number of each partition in the journal; never given to another one.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Retention">How long its messages are kept; null: TOPICS_RETENTION.</param>
/// <param name="Cuts">Where its partitions became more.</param>
internal sealed record TopicEntry(
    string Name, IReadOnlyList<int> Ordinals, DateTimeOffset CreatedAt, TimeSpan? Retention, IReadOnlyList<PartitionCut> Cuts);

/// <summary>Up to where the journal was given up for deletion. Durable before anything is deleted, as nothing else would say where the partitions go
/// on that have no message any more.</summary>
/// <param name="Position">In the journal; what lies before it may be gone.</param>
/// <param name="Offsets">By ordinal, the offset of each partition's first message at or behind it.</param>
internal sealed record TrimMark(long Position, IReadOnlyList<long> Offsets)
{
    /// <summary>Nothing was deleted.</summary>
    internal static TrimMark None { get; } = new(0, []);

    /// <summary>A partition's offset there.</summary>
    internal long OffsetOf(int ordinal) => ordinal < Offsets.Count ? Offsets[ordinal] : 0;
}

/// <summary>What <c>topics.json</c> holds. Immutable.</summary>
/// <param name="Id">The log's id.</param>
/// <param name="IsBegun">Whether a message was ever appended: the journal is never empty again.</param>
/// <param name="Topics">All topics, in the order in which they were made.</param>
/// <param name="Trim">Up to where the journal may be gone.</param>
internal sealed record TopicFile(string Id, bool IsBegun, IReadOnlyList<TopicEntry> Topics, TrimMark Trim);

/// <summary>The topics, found by name and by ordinal. Immutable.</summary>
internal sealed class TopicTable
{
    private readonly FrozenDictionary<string, TopicEntry> _byName;
    private readonly TopicPartition[] _byOrdinal;

    internal TopicTable(IReadOnlyList<TopicEntry> topics)
    {
        Topics = topics;
        ByName = [.. topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
        _byName = topics.ToFrozenDictionary(topic => topic.Name, StringComparer.Ordinal);
        _byOrdinal = new TopicPartition[topics.Sum(topic => topic.Ordinals.Count)];
        foreach (TopicEntry topic in topics)
        {
            for (int partition = 0; partition < topic.Ordinals.Count; partition++)
            {
                _byOrdinal[topic.Ordinals[partition]] = new TopicPartition(topic.Name, partition);
            }
        }
    }

    /// <summary>In the order in which they were made.</summary>
    internal IReadOnlyList<TopicEntry> Topics { get; }

    /// <summary>By name.</summary>
    internal IReadOnlyList<TopicEntry> ByName { get; }

    /// <summary>Partitions of all topics; ordinals are smaller.</summary>
    internal int Count => _byOrdinal.Length;

    /// <summary>A topic; null when there is none.</summary>
    internal TopicEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Which partition has an ordinal.</summary>
    internal TopicPartition this[int ordinal] => _byOrdinal[ordinal];

    /// <summary>The ordinal of a partition; null when there is no such partition.</summary>
    internal int? OrdinalOf(TopicPartition partition) =>
        Find(partition.Topic) is { } topic && partition.Partition >= 0 && partition.Partition < topic.Ordinals.Count
            ? topic.Ordinals[partition.Partition] : null;
}

/// <summary>How <c>topics.json</c> is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(TopicFile))]
internal sealed partial class TopicFileJson : JsonSerializerContext;
