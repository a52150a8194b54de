// The engine's partitions: those of RAW_PREFIX from the beginning, those of other prefixes as their first events come.
using Estat.Collect.Batching;

namespace Estat.Collect.Hosting;

public sealed partial class Engine
{
    private readonly Lock _partitionsGate = new();
    private readonly List<Task> _writers = [];
    private volatile PartitionWriters[] _partitions; // replaced under the gate, never changed
    private bool _areRunning;

    private void RunPartitions()
    {
        lock (_partitionsGate)
        {
            _areRunning = true;
            foreach (PartitionWriters one in _partitions)
            {
                Run(one);
            }
        }
    }

    // Counted among the others before it takes its first event: conservation holds at every moment.
    private Partition AddPartition(PartitionWriters one)
    {
        lock (_partitionsGate)
        {
            _partitions = [.. _partitions, one];
            if (_areRunning)
            {
                Run(one);
            }
        }

        return one.Partition;
    }

    private void Run(PartitionWriters one)
    {
        foreach (Task writer in one.Run())
        {
            _writers.Add(Watch(writer, "a partition's writer", carriesEvents: true));
        }
    }

    // No partition comes after those that are closed here.
    private Task ClosePartitions()
    {
        _prefixed.Close();
        lock (_partitionsGate)
        {
            foreach (PartitionWriters one in _partitions)
            {
                one.Partition.Close();
            }

            return Task.WhenAll(_writers);
        }
    }
}
