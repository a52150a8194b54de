namespace Estat.Topics.Messages;

/// <summary>An ordered part of a topic.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">From 0.</param>
internal readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}/{Partition}";
}
