// What a transaction adds to topic_status.
using Estat.Topics.Log;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// Deltas by topic. Their UPDATE comes last, in the order of names, so that transactions of several nodes neither wait long nor deadlock.
/// </summary>
internal sealed class TopicCounts
{
    private const string Upsert = """
        INSERT INTO topic_status AS s (topic_name, partition_count, replication_factor, message_count, typed_count, last_message_at)
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::timestamptz[])
        ON CONFLICT (topic_name) DO UPDATE SET
            partition_count = greatest(s.partition_count, excluded.partition_count),
            replication_factor = greatest(nullif(excluded.replication_factor, 0), s.replication_factor * (excluded.replication_factor = 0)::int),
            message_count = s.message_count + excluded.message_count,
            typed_count = s.typed_count + excluded.typed_count,
            last_message_at = greatest(s.last_message_at, excluded.last_message_at),
            is_active = true,
            updated_at = now()
        """;

    private readonly SortedDictionary<string, (long Messages, long Typed, long Last)> _topics = new(StringComparer.Ordinal);

    /// <summary>Forgets all.</summary>
    internal void Clear() => _topics.Clear();

    /// <summary>Counts messages.</summary>
    /// <param name="topic">Their topic.</param>
    /// <param name="count">How many.</param>
    /// <param name="last">The latest of their times; 0: none.</param>
    internal void AddMessages(string topic, long count, long last)
    {
        (long messages, long typed, long before) = _topics.GetValueOrDefault(topic);
        _topics[topic] = (messages + count, typed, Math.Max(before, last));
    }

    /// <summary>Counts typed rows.</summary>
    /// <param name="topic">Their topic.</param>
    /// <param name="count">How many.</param>
    internal void AddTyped(string topic, long count)
    {
        (long messages, long typed, long last) = _topics.GetValueOrDefault(topic);
        _topics[topic] = (messages, typed + count, last);
    }

    /// <summary>The statement that adds them.</summary>
    /// <param name="log">For the topics' partitions; null: they stay as they are.</param>
    internal NpgsqlBatchCommand Update(ITopicLog? log)
    {
        LogTopic?[] topics = [.. _topics.Keys.Select(name => log?.FindTopic(name))];
        return new(Upsert)
        {
            Parameters =
            {
                new() { Value = _topics.Keys.ToArray() }, new() { Value = topics.Select(topic => topic?.Partitions.Count ?? 0).ToArray() },
                new() { Value = topics.Select(topic => topic?.ReplicationFactor ?? 0).ToArray() },
                new() { Value = _topics.Values.Select(topic => topic.Messages).ToArray() },
                new() { Value = _topics.Values.Select(topic => topic.Typed).ToArray() },
                new()
                {
                    Value = _topics.Values.Select(
                        topic => topic.Last == 0 ? (DateTime?)null : DateTimeOffset.FromUnixTimeMilliseconds(topic.Last).UtcDateTime).ToArray(),
                },
            },
        };
    }
}
