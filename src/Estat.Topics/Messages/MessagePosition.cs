namespace Estat.Topics.Messages;

/// <summary>Where a message is; never used twice.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">From 0.</param>
/// <param name="Offset">From 0, in the order of the partition. Embedded, there are no gaps; Kafka may have some.</param>
internal readonly record struct MessagePosition(string Topic, int Partition, long Offset)
{
    /// <summary>Its partition.</summary>
    internal TopicPartition Of => new(Topic, Partition);

    /// <inheritdoc/>
    public override string ToString() => $"{Topic}/{Partition}@{Offset}";
}
