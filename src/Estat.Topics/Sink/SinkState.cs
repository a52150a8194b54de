// What the sink is doing, for readiness, the console and alerts.
using Estat.Topics.Messages;

namespace Estat.Topics.Sink;

/// <summary>What it is doing.</summary>
internal enum SinkActivity
{
    /// <summary>It stores what comes.</summary>
    Running,

    /// <summary>It tries again and again: the database, the log or another node stands in its way.</summary>
    Waiting,

    /// <summary>It does nothing until the operator has acted.</summary>
    Stopped,

    /// <summary>The operator paused it.</summary>
    Paused,
}

/// <summary>The sink at one moment.</summary>
/// <param name="Activity">What it is doing.</param>
/// <param name="Why">Why it waits or stands; null while it runs.</param>
/// <param name="Since">Since when.</param>
internal sealed record SinkState(SinkActivity Activity, string? Why, DateTimeOffset Since);

/// <summary>How far a partition is.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Next">The first offset that is not stored; before the partition was taken over for the first time, where the log begins.</param>
/// <param name="End">Where the log ends.</param>
/// <param name="Start">Where the log begins.</param>
internal readonly record struct PartitionProgress(TopicPartition Partition, long Next, long End, long Start = 0)
{
    /// <summary>Messages that wait in the log; with Kafka at the most so many.</summary>
    internal long Lag => Math.Max(0, End - Math.Max(Next, Start));
}
