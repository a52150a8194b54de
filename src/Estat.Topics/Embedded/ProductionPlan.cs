// Which message of a production goes to which partition.
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>Partitions of a production, in the order in which its messages name them.</summary>
/// <param name="Ordinals">Of each run.</param>
/// <param name="Partitions">Of each run.</param>
/// <param name="Counts">Messages of each run.</param>
/// <param name="RunOf">The run of each message.</param>
internal sealed record ProductionPlan(int[] Ordinals, int[] Partitions, int[] Counts, int[] RunOf)
{
    /// <summary>Makes one.</summary>
    /// <param name="production">The messages.</param>
    /// <param name="topic">Their topic.</param>
    /// <param name="turn">Chooses the partition of those without a key: all of a production go to one.</param>
    internal static ProductionPlan Of(Production production, TopicEntry topic, uint turn)
    {
        int partitions = topic.Ordinals.Count;
        int keyless = (int)(turn % (uint)partitions);
        if (production.Messages.Count == 1)
        {
            int only = production.Messages[0].Key is { } single ? KeyPartitioner.PartitionOf(single.Span, partitions) : keyless;
            return new ProductionPlan([topic.Ordinals[only]], [only], [1], [0]);
        }

        var runOfPartition = new int[partitions];
        Array.Fill(runOfPartition, -1);
        List<int> order = [];
        List<int> counts = [];
        int[] runOf = new int[production.Messages.Count];
        for (int index = 0; index < runOf.Length; index++)
        {
            int partition = production.Messages[index].Key is { } key ? KeyPartitioner.PartitionOf(key.Span, partitions) : keyless;
            if (runOfPartition[partition] < 0)
            {
                runOfPartition[partition] = order.Count;
                order.Add(partition);
                counts.Add(0);
            }

            runOf[index] = runOfPartition[partition];
            counts[runOf[index]]++;
        }

        return new ProductionPlan([.. order.Select(partition => topic.Ordinals[partition])], [.. order], [.. counts], runOf);
    }

    /// <summary>Where each message is.</summary>
    /// <param name="topic">The topic's name.</param>
    /// <param name="firsts">The first offset of each run.</param>
    internal IReadOnlyList<MessagePosition?> Positions(string topic, long[] firsts) => new RunPositions(topic, Partitions, firsts, RunOf);
}
