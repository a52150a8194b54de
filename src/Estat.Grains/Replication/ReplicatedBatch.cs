// A batch that a second silo holds too, seen from the silo that owns it.
using Estat.Collect.Metrics;

namespace Estat.Grains.Replication;

/// <summary>
/// Who holds its copy, and how much of it was acknowledged as held. Once the partner has refused, or nobody knows what it holds, nothing more of the
/// batch is acknowledged at <c>replica</c>: it ends, and leaves for the store at once.
/// </summary>
/// <param name="key">The batch's key.</param>
/// <param name="opened">When it opened, UTC.</param>
/// <param name="partner">Who holds the copy; null when there was nobody.</param>
/// <param name="end">Ends the batch, for a reason; may be called on any thread, and more than once.</param>
internal sealed class ReplicatedBatch(string key, DateTimeOffset opened, IReplicaPartner? partner, Action<FlushReason> end)
{
    private readonly long _openedUnixMs = opened.ToUnixTimeMilliseconds();
    private volatile IReplicaPartner? _partner = partner;
    private volatile bool _failed;
    private long _nextSequence = 1;
    private long _events;

    /// <summary>The batch's key.</summary>
    internal string Key { get; } = key;

    /// <summary>Who holds the copy.</summary>
    internal IReplicaPartner? Partner => _partner;

    /// <summary>Whether there is no copy to rely on.</summary>
    internal bool IsLost => _failed || _partner is not { IsAlive: true };

    /// <summary>Events that were acknowledged at <c>replica</c>.</summary>
    internal long Events => Volatile.Read(ref _events);

    /// <summary>Sends the next records. One call at a time, in the order of the segment; not after a failed one.</summary>
    /// <exception cref="Exception">Nobody knows whether they are held.</exception>
    internal Task<ReplicaAnswer> HoldAsync(ReadOnlyMemory<byte> lines, int events)
    {
        var records = new ReplicaRecords(Key, _openedUnixMs, _nextSequence, events, lines);
        _nextSequence += events;
        return _partner!.HoldAsync(records);
    }

    /// <summary>Events are acknowledged as held.</summary>
    internal void OnHeld(int events) => Interlocked.Add(ref _events, events);

    /// <summary>The partner refused, or nobody knows.</summary>
    internal void OnFailed() => _failed = true;

    /// <summary>Another partner holds all of it.</summary>
    internal void OnHeldAfresh(IReplicaPartner partner)
    {
        _partner = partner;
        _failed = false;
    }

    /// <summary>Ends the batch, if it is open.</summary>
    internal void End(FlushReason reason) => end(reason);
}
