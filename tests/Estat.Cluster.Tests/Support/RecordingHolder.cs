// A silo's copies, as tests see what was asked of them.
using Estat.Grains.Replication;

namespace Estat.Cluster.Tests.Support;

/// <summary>Holds everything, and remembers it. Any thread.</summary>
internal sealed class RecordingHolder : IReplicaHolder
{
    private readonly Lock _gate = new();
    private readonly List<(string Key, long FirstSequence, int Events, string Lines)> _held = [];
    private readonly List<string> _released = [];
    private IReadOnlyCollection<string>? _neighbours;

    /// <summary>What is answered from now on.</summary>
    internal ReplicaAnswer Answer { get; set; } = ReplicaAnswer.Held;

    /// <summary>What was held, in order.</summary>
    internal (string Key, long FirstSequence, int Events, string Lines)[] Held
    {
        get
        {
            lock (_gate)
            {
                return [.. _held];
            }
        }
    }

    /// <summary>What was released, in order.</summary>
    internal string[] Released
    {
        get
        {
            lock (_gate)
            {
                return [.. _released];
            }
        }
    }

    /// <summary>What was said last of who is alive, sorted; null until something was.</summary>
    internal string[]? Neighbours
    {
        get
        {
            lock (_gate)
            {
                return _neighbours is null ? null : [.. _neighbours.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <inheritdoc/>
    public Task<ReplicaAnswer> HoldAsync(ReplicaRecords records)
    {
        lock (_gate)
        {
            _held.Add((records.Key, records.FirstSequence, records.Events, System.Text.Encoding.UTF8.GetString(records.Lines.Span)));
        }

        return Task.FromResult(Answer);
    }

    /// <inheritdoc/>
    public void Release(IReadOnlyList<string> keys)
    {
        lock (_gate)
        {
            _released.AddRange(keys);
        }
    }

    /// <inheritdoc/>
    public void OnNeighbours(IReadOnlyCollection<string> aliveInstances)
    {
        lock (_gate)
        {
            _neighbours = aliveInstances;
        }
    }
}
