// A topic as the survey sees it.
using Estat.Topics.Log;

namespace Estat.Topics.Kafka.Survey;

/// <summary>Bounds change in place, by the survey and by acks; everything else is another view. Any thread.</summary>
/// <param name="name">The topic's name.</param>
/// <param name="partitions">Partitions.</param>
/// <param name="replication">Copies.</param>
internal sealed class TopicView(string name, int partitions, int replication)
{
    private const long Unknown = -1;
    private readonly long[] _starts = new long[partitions];
    private readonly long[] _ends = [.. Enumerable.Repeat(Unknown, partitions)];
    private readonly long[] _rounds = new long[partitions];

    /// <summary>The topic's name.</summary>
    internal string Name => name;

    /// <summary>Partitions.</summary>
    internal int Partitions => partitions;

    /// <summary>Copies.</summary>
    internal int Replication => replication;

    /// <summary>The end of a partition; less than 0: not known yet.</summary>
    internal long EndOf(int partition) => Volatile.Read(ref _ends[partition]);

    /// <summary>In which round of the survey the bounds of a partition were seen last.</summary>
    internal long RoundOf(int partition) => Volatile.Read(ref _rounds[partition]);

    /// <summary>Bounds that were asked for.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="start">Its start.</param>
    /// <param name="end">Its end.</param>
    /// <param name="before">What <see cref="EndOf"/> was when they were asked for: an ack that came meanwhile knows better.</param>
    /// <param name="round">The survey's.</param>
    /// <returns>Whether the partition ends elsewhere now.</returns>
    internal bool See(int partition, long start, long end, long before, long round)
    {
        Volatile.Write(ref _starts[partition], start);
        bool isChanged = Interlocked.CompareExchange(ref _ends[partition], end, before) == before && end != before;
        Volatile.Write(ref _rounds[partition], round);
        return isChanged;
    }

    /// <summary>A message was acknowledged.</summary>
    /// <param name="partition">Where.</param>
    /// <param name="end">The offset behind it.</param>
    /// <returns>Whether the partition was not known to end there.</returns>
    internal bool Extend(int partition, long end)
    {
        if (partition < partitions)
        {
            for (long known = EndOf(partition); known < end;)
            {
                long found = Interlocked.CompareExchange(ref _ends[partition], end, known);
                if (found == known)
                {
                    return true;
                }

                known = found;
            }
        }

        return false;
    }

    /// <summary>Takes over what another view knows.</summary>
    internal TopicView With(TopicView? earlier)
    {
        for (int partition = 0; partition < Math.Min(partitions, earlier?.Partitions ?? 0); partition++)
        {
            _starts[partition] = Volatile.Read(ref earlier!._starts[partition]);
            _ends[partition] = earlier.EndOf(partition);
            _rounds[partition] = earlier.RoundOf(partition);
        }

        return this;
    }

    /// <summary>As the port shows it.</summary>
    /// <param name="retention">How long its messages are kept; null: TOPICS_RETENTION.</param>
    /// <param name="cuts">Where its partitions became more.</param>
    internal LogTopic Show(TimeSpan? retention, IReadOnlyList<PartitionCut> cuts) => new(
        name, [.. Enumerable.Range(0, partitions).Select(BoundsOf)], replication, null, retention, cuts);

    /// <summary>The bounds of a partition.</summary>
    internal LogPartition BoundsOf(int partition)
    {
        long start = Volatile.Read(ref _starts[partition]);
        return new LogPartition(start, Math.Max(start, EndOf(partition)));
    }
}
