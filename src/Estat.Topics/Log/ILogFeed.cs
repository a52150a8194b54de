// What the sink reads: every message of the partitions that are its own, partition by partition in order.
using Estat.Topics.Messages;

namespace Estat.Topics.Log;

/// <summary>One user. A partition that was assigned gives nothing before <see cref="Seek"/> said where to begin.</summary>
internal interface ILogFeed : IAsyncDisposable
{
    /// <summary>Says where a partition goes on; may be said again, to go back or forward.</summary>
    /// <param name="partition">One that is assigned.</param>
    /// <param name="offset">The first offset to read. The log's start may be behind it: reading goes on there then.</param>
    void Seek(TopicPartition partition, long offset);

    /// <summary>Waits for something to read, and reads.</summary>
    /// <param name="mostMessages">At least 1.</param>
    /// <param name="mostBytes">Bytes of keys, headers and values after which a reading ends; one message is always read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicLogException">The log cannot be read now, or is damaged.</exception>
    ValueTask<FeedReading> ReadAsync(int mostMessages, int mostBytes, CancellationToken cancellationToken);

    /// <summary>Says what need not be read again: everything of the partition before the offset is stored. Embedded, it may be deleted when its
    /// retention is over; Kafka shows it as the group's progress. May be said while a reading is under way.</summary>
    void OnStored(TopicPartition partition, long nextOffset);
}

/// <summary>What a feed read. When partitions are assigned or taken away there are no messages in the same reading.</summary>
/// <param name="Messages">In the order of each partition. Valid until the feed is read again.</param>
/// <param name="Assigned">Partitions that are this feed's from now on.</param>
/// <param name="Revoked">Partitions that are another's from now on: nothing more of them may be stored.</param>
internal sealed record FeedReading(
    IReadOnlyList<LogMessage> Messages, IReadOnlyList<TopicPartition> Assigned, IReadOnlyList<TopicPartition> Revoked);
