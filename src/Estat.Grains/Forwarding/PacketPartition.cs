// Where a gateway's events of one level gather into packets.
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Batching;
using Estat.Collect.Events;

namespace Estat.Grains.Forwarding;

/// <summary>
/// Requests encode their events under a short lock into the chunk that is being filled; a chunk is a packet. With no packet in flight it goes with
/// its first event. Otherwise it goes when enough has gathered for as many as are in flight, or its first event has waited long enough; in any case
/// as soon as a silo has room.
/// </summary>
/// <remarks>
/// Invariants: a packet holds events of this partition's level and prefix alone; whatever one request brought is in one packet; packets leave in the
/// order in which they were filled, and are answered in any.
/// </remarks>
internal sealed partial class PacketPartition : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<GatheredPacket> _full = new();
    private readonly PacketBounds _bounds;
    private readonly ForwardingQueue _queue;
    private readonly SiloChoice _silos;
    private readonly PacketPool _packets;
    private readonly AckWaiterPool _waiters;
    private readonly PacketForwarder _forwarder;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly TimeSpan _longestGathering;
    private GatheredPacket? _filling;
    private long _fillingSince;
    private int _inFlight;
    private bool _hasWaited;
    private bool _hasTimer;
    private bool _lacksRoom;
    private bool _closed;
    private volatile int _backlog;
    private int _pumps;

    /// <param name="level">What its events ask for.</param>
    /// <param name="partition">Its number among the partitions of its level, from 0.</param>
    /// <param name="number">Its number among all partitions, from 0.</param>
    /// <param name="prefix">The key prefix of its events' objects; null is <c>RAW_PREFIX</c>.</param>
    /// <param name="bounds">The gateway's bounds.</param>
    /// <param name="queue">What the gateway holds.</param>
    /// <param name="silos">Where packets go.</param>
    /// <param name="packets">The gateway's packets.</param>
    /// <param name="waiters">The gateway's waiters.</param>
    /// <param name="forwarder">Who sends packets.</param>
    /// <param name="time">Clock and timer.</param>
    internal PacketPartition(
        AckLevel level, int partition, int number, string? prefix, PacketBounds bounds, ForwardingQueue queue, SiloChoice silos, PacketPool packets,
        AckWaiterPool waiters, PacketForwarder forwarder, TimeProvider time)
    {
        Level = level;
        Partition = partition;
        Number = number;
        Prefix = prefix;
        _bounds = bounds;
        _queue = queue;
        _silos = silos;
        _packets = packets;
        _waiters = waiters;
        _forwarder = forwarder;
        _time = time;
        _longestGathering = PacketBounds.LongestGathering(IsSlow);
        _timer = time.CreateTimer(static self => ((PacketPartition)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal AckLevel Level { get; }

    internal int Partition { get; }

    internal int Number { get; }

    internal string? Prefix { get; }

    /// <summary>Whether its calls take long by nature.</summary>
    internal bool IsSlow => Level == AckLevel.Stored;

    /// <summary>Packets that are full and wait for a silo's room.</summary>
    internal int Backlog => _backlog;

    /// <summary>Encodes an event into the packet that is being filled.</summary>
    internal Appended Append(in EventHeader header, ReadOnlySpan<byte> body)
    {
        Appended appended;
        bool isDue;
        lock (_gate)
        {
            appended = AppendLocked(header, body);
            isDue = IsDue() && !_lacksRoom;
        }

        PumpIf(isDue);
        return appended;
    }

    /// <summary>Takes a few lines that a request encoded on its own, all or none, into the packet that is being filled.</summary>
    /// <param name="lines">Fewer than a chunk; they stay the caller's.</param>
    internal Appended AppendCopy(Chunk lines)
    {
        Appended appended;
        bool isDue;
        lock (_gate)
        {
            appended = AppendLocked(lines);
            isDue = IsDue() && !_lacksRoom;
        }

        PumpIf(isDue);
        return appended;
    }

    /// <summary>Takes a packet that a request made on its own.</summary>
    /// <param name="lines">Their room in the queue is taken; they are the partition's if they are accepted.</param>
    internal Appended AppendWhole(Chunk lines)
    {
        ValueTask<Ack> ack;
        bool isDue;
        lock (_gate)
        {
            if (_closed)
            {
                return new Appended(Admission.Draining);
            }

            HandOver();
            GatheredPacket packet = _packets.Of(lines);
            ack = Await(packet);
            _full.Enqueue(packet);
            _backlog = _full.Count;
            isDue = !_lacksRoom;
        }

        PumpIf(isDue);
        return new Appended(Admission.Accepted, ack);
    }

    public void Dispose() => _timer.Dispose();

    private Appended AppendLocked(in EventHeader header, ReadOnlySpan<byte> body)
    {
        if (_closed)
        {
            return new Appended(Admission.Draining);
        }

        if (!_queue.TryAddRequest(IsSlow))
        {
            return new Appended(Admission.QueueFull);
        }

        if (!TryMakeRoom(1, LineEncoder.MaxLength(header, body.Length)))
        {
            _queue.Remove(1, 0, IsSlow);
            return new Appended(Admission.QueueFull);
        }

        GatheredPacket packet = _filling!;
        ValueTask<Ack> ack = Await(packet);
        packet.Chunk.Add(1, LineEncoder.Encode(header, body, packet.Chunk.Free));
        HandOverIfFull();
        return new Appended(Admission.Accepted, ack);
    }

    private Appended AppendLocked(Chunk lines)
    {
        if (_closed)
        {
            return new Appended(Admission.Draining);
        }

        if (!_queue.TryAddRequest(IsSlow))
        {
            return new Appended(Admission.QueueFull);
        }

        if (!TryMakeRoom(lines.Events, lines.Length))
        {
            _queue.Remove(1, 0, IsSlow);
            return new Appended(Admission.QueueFull);
        }

        GatheredPacket packet = _filling!;
        ValueTask<Ack> ack = Await(packet);
        lines.Lines.Span.CopyTo(packet.Chunk.Free);
        packet.Chunk.Add(lines.Events, lines.Length);
        HandOverIfFull();
        return new Appended(Admission.Accepted, ack);
    }

    private ValueTask<Ack> Await(GatheredPacket packet)
    {
        if (EstatActivities.IsOn)
        {
            packet.NoteRequest();
        }

        AckWaiter waiter = _waiters.Rent();
        waiter.Begin(1);
        packet.Waiters.Add(waiter);
        return waiter.Task;
    }

    private bool TryMakeRoom(int events, int bytes)
    {
        if (_filling is { } filling && filling.Chunk.Room >= bytes && filling.Events + events <= _bounds.PacketEvents)
        {
            return true;
        }

        HandOver();
        GatheredPacket next = _packets.Rent(bytes);
        if (!_queue.TryAddBytes(next.BufferBytes, IsSlow))
        {
            _packets.Return(next);
            return false;
        }

        _filling = next;
        _fillingSince = _time.GetTimestamp();
        _hasWaited = false;
        return true;
    }

    private void HandOverIfFull()
    {
        // A chunk made for a large event may be as large as the whole queue: it does not wait to be filled.
        if (_filling!.Events >= _bounds.PacketEvents || _filling.BufferBytes > ChunkPool.ChunkBytes)
        {
            HandOver();
        }
        else if (_inFlight > 0 && !_hasTimer)
        {
            ArmTimer(_longestGathering);
        }
    }

    private void HandOver()
    {
        if (_filling is { } packet)
        {
            _full.Enqueue(packet);
            _filling = null;
            _backlog = _full.Count;
        }
    }
}
