namespace Estat.Topics.Log;

/// <summary>A topic as the log knows it at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Partitions">Its partitions, from 0.</param>
/// <param name="ReplicationFactor">Copies of it: 1 embedded.</param>
/// <param name="CreatedAt">When it was made; null when the log does not know.</param>
/// <param name="Retention">How long its messages are kept; null: TOPICS_RETENTION.</param>
/// <param name="Cuts">Where its partitions became more, oldest first.</param>
internal sealed record LogTopic(
    string Name, IReadOnlyList<LogPartition> Partitions, int ReplicationFactor, DateTimeOffset? CreatedAt, TimeSpan? Retention,
    IReadOnlyList<PartitionCut> Cuts);

/// <summary>A partition's bounds.</summary>
/// <param name="Start">The oldest offset that can be read.</param>
/// <param name="End">The offset of the next message; what lies before it is as safe as the log's ack says.</param>
internal readonly record struct LogPartition(long Start, long End);

/// <summary>Where a topic's partitions became more: a key's messages before it and behind it may lie in different partitions.</summary>
/// <param name="At">When.</param>
/// <param name="Partitions">Partitions since then.</param>
/// <param name="Offsets">The end of each older partition then.</param>
internal sealed record PartitionCut(DateTimeOffset At, int Partitions, IReadOnlyList<long> Offsets);
