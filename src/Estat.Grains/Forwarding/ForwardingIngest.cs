// Takes events at a gateway, for the silos to keep.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Http.Metrics;

namespace Estat.Grains.Forwarding;

/// <summary>
/// The gateway's side of a cluster: it keeps nothing. Events are encoded once, on arrival, and go to silos as flat packets, each of one level, each
/// taken or refused as a whole. An event is acknowledged when a silo acknowledged its packet, and only then.
/// </summary>
public sealed class ForwardingIngest : IIngest, IDisposable
{
    /// <summary>Blocks of up to this many bytes share a packet with other requests' events; larger ones are packets of their own.</summary>
    private const int SharedBytes = 32 * 1024;

    private readonly PacketBounds _bounds;
    private readonly ForwardingQueue _queue;
    private readonly SiloChoice _silos;
    private readonly PacketForwarder _forwarder;
    private readonly PacketPartition[][] _partitions;
    private readonly PrefixPartitions<PacketPartition> _prefixed;
    private readonly ChunkPool _chunks = new();
    private readonly TimeProvider _time;
    private readonly int _batchSize;
    private volatile PacketPartition[] _all; // replaced as partitions of prefixes are made, one at a time
    private volatile bool _draining;
    private bool _disposed;

    /// <summary>Ready at once; it needs no start.</summary>
    /// <param name="links">The ways to the silos.</param>
    /// <param name="options">Checked options: bounds, levels, the number of partitions.</param>
    /// <param name="time">Clock and timers of every part.</param>
    /// <param name="logger">Where silos that fail and return are told.</param>
    public ForwardingIngest(ISiloLinks links, CollectOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _time = time;
        _batchSize = options.BatchSize;
        _bounds = new PacketBounds(options);
        _queue = new ForwardingQueue(_bounds);
        Levels = options.AckAllowed ?? AckLevels.All;
        int partitions = AckLevels.All.Sum(level => options.PartitionsOf(level));
        _silos = new SiloChoice(links, _bounds, partitions + PrefixPartitions<PacketPartition>.MostPartitions, time, logger);
        var packets = new PacketPool(_chunks);
        _forwarder = new PacketForwarder(_silos, _queue, packets, new ForwardingInstruments(Instruments.Meter), time, logger);
        var waiters = new AckWaiterPool();
        int number = 0;
        _partitions = [.. AckLevels.All.Select(level => Enumerable.Range(0, options.PartitionsOf(level)).Select(partition => new PacketPartition(
            level, partition, number++, null, _bounds, _queue, _silos, packets, waiters, _forwarder, time)).ToArray())];
        _all = [.. _partitions.SelectMany(ofLevel => ofLevel)];
        _prefixed = new PrefixPartitions<PacketPartition>(options, (prefix, level, made) =>
        {
            var partition = new PacketPartition(
                level, made % options.PartitionsOf(level), partitions + made, prefix, _bounds, _queue, _silos, packets, waiters, _forwarder, time);
            _all = [.. _all, partition];
            return partition;
        });
        _silos.OnChanged = _forwarder.OnRoom = OnRoom;
        ForwardingInstruments.Observe(Instruments.Meter, _silos, _queue);
        Instruments.ObserveRequests(Requests, () => AcceptedRequests, () => NotReadyBecause is null);
        _silos.Refresh();
    }

    /// <summary>The ack levels that the gateway offers, weakest first.</summary>
    public IReadOnlyList<AckLevel> Levels { get; }

    /// <summary>The node's instruments.</summary>
    public EstatInstruments Instruments { get; } = new();

    /// <summary>Counters of the HTTP path; among <see cref="Instruments"/>.</summary>
    public RequestCounters Requests { get; } = new();

    /// <summary>Requests whose events a silo acknowledged.</summary>
    public long AcceptedRequests => _forwarder.AcceptedRequests;

    /// <summary>Why the gateway takes no events now; null when it does.</summary>
    public string? NotReadyBecause => _draining ? "the node is draining" : _silos.HealthyNow == 0 ? "no silo answers" : null;

    /// <inheritdoc/>
    public Admission Outlook(AckLevel level, string? prefix = null) =>
        _draining ? Admission.Draining
        : _silos.HealthyNow == 0 ? Admission.NoSilo
        : _queue.IsFull(level == AckLevel.Stored) ? Admission.QueueFull
        : Admission.Accepted;

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level) =>
        _silos.HealthyNow == 0 ? Refused(Admission.NoSilo)
        : TryFindPartition(level, header.Prefix, out PacketPartition? partition) is var found && found != Admission.Accepted ? Refused(found)
        : AckOf(partition!.Append(header, body));

    /// <inheritdoc/>
    public LineBlock NewBlock(string? prefix = null) => new(_chunks, _batchSize) { Prefix = prefix };

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level)
    {
        ArgumentNullException.ThrowIfNull(block);
        return _silos.HealthyNow == 0 ? Refused(Admission.NoSilo)
            : TryFindPartition(level, block.Prefix, out PacketPartition? partition) is var found && found != Admission.Accepted ? Refused(found)
            : block.Only is { Length: <= SharedBytes } few ? AckOf(partition!.AppendCopy(few))
            : AcceptWhole(block, partition!);
    }

    /// <summary>The first step of a drain: new requests are turned away; requests whose body is being read are still taken.</summary>
    public void BeginDrain() => _draining = true;

    /// <summary>
    /// The rest of a drain: nothing is taken any more, and what was taken is sent and answered. What was not sent in time is answered that the node
    /// is draining, what was not answered in time that nobody knows.
    /// </summary>
    /// <param name="budget">Time for all of it.</param>
    /// <param name="hurry">Cancelled to end it now, as a second signal does.</param>
    /// <returns>Events that were in flight at the end; none of them was acknowledged.</returns>
    public async Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        BeginDrain();
        _prefixed.Close();
        foreach (PacketPartition partition in _all)
        {
            partition.Close();
        }

        try
        {
            await _queue.WhenEmpty().WaitAsync(budget, _time, hurry).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            foreach (PacketPartition partition in _all)
            {
                partition.GiveUp();
            }
        }

        _silos.Stop();
        return _forwarder.GiveUp();
    }

    /// <summary>Ends probes and timers; to be called after a drain.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        BeginDrain();
        _prefixed.Close();
        _silos.Stop();
        _silos.Dispose();
        foreach (PacketPartition partition in _all)
        {
            partition.Dispose();
        }

        Instruments.Dispose();
    }

    private static ValueTask<Ack> Refused(Admission admission) => ValueTask.FromResult(new Ack(admission, AckLevel.Memory, ""));

    private static ValueTask<Ack> AckOf(Appended appended) => appended.Admission == Admission.Accepted ? appended.Ack : Refused(appended.Admission);

    private Admission TryFindPartition(AckLevel level, string? prefix, out PacketPartition? partition)
    {
        if (prefix is null)
        {
            partition = PartitionOf(level);
            return Admission.Accepted;
        }

        Admission found = _prefixed.TryOpen(prefix, level, out PacketPartition[] partitions);
        partition = found == Admission.Accepted ? partitions[0] : null;
        return found;
    }

    // A call costs the same whatever it carries: another partition is worth its calls only when full packets wait in the first one.
    private PacketPartition PartitionOf(AckLevel level)
    {
        PacketPartition least = _partitions[(int)level][0];
        foreach (PacketPartition partition in _partitions[(int)level])
        {
            int backlog = partition.Backlog;
            if (backlog == 0)
            {
                return partition;
            }

            least = backlog < least.Backlog ? partition : least;
        }

        return least;
    }

    private ValueTask<Ack> AcceptWhole(LineBlock block, PacketPartition partition)
    {
        if (!_queue.TryAddRequest(partition.IsSlow))
        {
            return Refused(Admission.QueueFull);
        }

        long bytes = block.FlatBytes;
        if (!_queue.TryAddBytes(bytes, partition.IsSlow))
        {
            _queue.Remove(1, 0, partition.IsSlow);
            return Refused(Admission.QueueFull);
        }

        Chunk packet = block.TakeFlat();
        Appended appended = partition.AppendWhole(packet);
        if (appended.Admission != Admission.Accepted)
        {
            _queue.Remove(1, bytes, partition.IsSlow);
            _chunks.Return(packet);
        }

        return AckOf(appended);
    }

    private void OnRoom()
    {
        foreach (PacketPartition partition in _all)
        {
            partition.OnRoom();
        }
    }
}
