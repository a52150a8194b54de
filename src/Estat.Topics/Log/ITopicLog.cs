// Where messages wait for the sink and are kept: the port. Embedded has it in a folder, Estat.Topics.Kafka in Kafka.
using System.Diagnostics.Metrics;
using Estat.Base.Files;
using Estat.Topics.Messages;

namespace Estat.Topics.Log;

/// <summary>Topics with their messages. Any thread. One compliance suite holds both adapters to it.</summary>
internal interface ITopicLog : IAsyncDisposable
{
    /// <summary>Tells this log from every other one: two logs never share it, and a log that lost its messages gets a new one.</summary>
    string Id { get; }

    /// <summary>The same to show; null while the log does not know it yet.</summary>
    string? KnownId => Id;

    /// <summary>Where it is, for messages to the operator.</summary>
    string Description { get; }

    /// <summary>What its ack is called in <c>X-Estat-Ack</c>: <c>disk</c> or <c>kafka</c>.</summary>
    string AckLevel { get; }

    /// <summary>Why it takes no messages; null while it does.</summary>
    string? Fault { get; }

    /// <summary>Whether <c>Idempotency-Key</c> means something to it.</summary>
    bool TakesIdempotencyKeys { get; }

    /// <summary>Where the node may keep small files beside it; null: nowhere.</summary>
    IStateFiles? State => null;

    /// <summary>All topics, by name.</summary>
    IReadOnlyList<LogTopic> Topics { get; }

    /// <summary>A topic; null when there is none of that name.</summary>
    LogTopic? FindTopic(string name);

    /// <summary>Whether there is a topic.</summary>
    bool HasTopic(string name) => FindTopic(name) is not null;

    /// <summary>A partition's bounds; null when there is no such partition.</summary>
    LogPartition? BoundsOf(TopicPartition partition) =>
        FindTopic(partition.Topic) is { } topic && partition.Partition >= 0 && partition.Partition < topic.Partitions.Count
            ? topic.Partitions[partition.Partition] : null;

    /// <summary>Makes a topic, durably.</summary>
    /// <param name="name">A valid name.</param>
    /// <param name="partitions">At least 1; null: TOPICS_PARTITIONS.</param>
    /// <param name="cancellationToken">Ends the wait; what was begun may still be done.</param>
    /// <returns>The topic, and whether it is new. One that exists stays as it is.</returns>
    /// <exception cref="TopicLogException">It cannot be made now.</exception>
    ValueTask<(LogTopic Topic, bool IsNew)> CreateTopicAsync(string name, int? partitions, CancellationToken cancellationToken);

    /// <summary>Adds partitions, durably. Keys move to other partitions: order holds on each side of the cut, which the topic remembers.</summary>
    /// <param name="name">A topic's name.</param>
    /// <param name="partitions">How many there shall be, more than there are.</param>
    /// <param name="cancellationToken">Ends the wait; what was begun may still be done.</param>
    /// <exception cref="TopicLogException">It cannot be done now.</exception>
    ValueTask<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken);

    /// <summary>Says how long the topic's messages are kept.</summary>
    /// <param name="name">A topic's name.</param>
    /// <param name="retention">How long; null: TOPICS_RETENTION.</param>
    /// <param name="cancellationToken">Ends the wait; what was begun may still be done.</param>
    /// <exception cref="TopicLogException">It cannot be done now.</exception>
    ValueTask<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken);

    /// <summary>Takes messages of one producer: embedded, all of them or none.</summary>
    ValueTask<Produced> ProduceAsync(Production production, CancellationToken cancellationToken);

    /// <summary>Reads a partition.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="offset">The first offset that may be returned; one before the log's start reads from the start.</param>
    /// <param name="mostMessages">At least 1.</param>
    /// <param name="mostBytes">Bytes of keys, headers and values after which reading ends; one message is always read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Messages in order; none at the end.</returns>
    /// <exception cref="TopicLogException">The log cannot be read now, or is damaged.</exception>
    ValueTask<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken);

    /// <summary>Waits until a partition has a message at or behind an offset.</summary>
    ValueTask WaitForAsync(TopicPartition partition, long offset, CancellationToken cancellationToken);

    /// <summary>The first offset of a partition whose time is not before a moment; the partition's end when there is none.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="time">Milliseconds since 1970.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    ValueTask<long> FindOffsetAsync(TopicPartition partition, long time, CancellationToken cancellationToken);

    /// <summary>Adds what only this kind of log measures.</summary>
    /// <param name="meter">Topics'.</param>
    void Observe(Meter meter)
    {
    }

    /// <summary>What the sink reads. Embedded has one feed at a time; Kafka shares the partitions out among all nodes' feeds.</summary>
    ILogFeed OpenFeed();
}
