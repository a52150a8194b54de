// The engine's lanes: those of RAW_PREFIX from the beginning, those of other prefixes as their first events come.
using Estat.Collect.Batching;

namespace Estat.Collect.Hosting;

public sealed partial class Engine
{
    private readonly Lock _lanesGate = new();
    private readonly List<Task> _writers = [];
    private volatile Lane[] _lanes; // replaced under the gate, never changed
    private bool _areRunning;

    private void RunLanes()
    {
        lock (_lanesGate)
        {
            _areRunning = true;
            foreach (Lane lane in _lanes)
            {
                Run(lane);
            }
        }
    }

    // Counted among the others before it takes its first event: conservation holds at every moment.
    private Partition AddLane(Lane lane)
    {
        lock (_lanesGate)
        {
            _lanes = [.. _lanes, lane];
            if (_areRunning)
            {
                Run(lane);
            }
        }

        return lane.Partition;
    }

    private void Run(Lane lane)
    {
        foreach (Task writer in lane.Run())
        {
            _writers.Add(Watch(writer, "a partition's writer", carriesEvents: true));
        }
    }

    // No lane comes after those that are closed here.
    private Task CloseLanes()
    {
        _prefixed.Close();
        lock (_lanesGate)
        {
            foreach (Lane lane in _lanes)
            {
                lane.Partition.Close();
            }

            return Task.WhenAll(_writers);
        }
    }
}
