// Which silo gets a packet.

namespace Estat.Grains.Forwarding;

/// <summary>
/// The silos of the cluster, which of them are avoided, and what is in flight to each. A packet goes to the healthy silo with the fewest packets in
/// flight, in turn among equals, after those that lacked room a moment ago. So one that hangs gets few, and never more than its slots and its half of
/// the queue.
/// </summary>
/// <remarks>Any thread. Its lock is taken under a partition's lock, never the other way round.</remarks>
internal sealed class SiloChoice : IDisposable
{
    // One that said that it is full is asked last for this long: its disk or its uploads need longer than a call to make room.
    private static readonly TimeSpan LackOfRoomLasts = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly ISiloLinks _links;
    private readonly PacketBounds _bounds;
    private readonly int _partitions;
    private readonly TimeProvider _time;
    private readonly SiloProbes _probes;
    private volatile IReadOnlyList<ISiloLink> _seen = [];
    private Silo[] _silos = [];
    private volatile int _healthy;
    private int _calls;
    private int _turn;

    /// <param name="links">The silos that there are.</param>
    /// <param name="bounds">What may be in flight.</param>
    /// <param name="partitions">How many partitions the gateway has.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="logger">Where silos that fail and return are told.</param>
    internal SiloChoice(ISiloLinks links, PacketBounds bounds, int partitions, TimeProvider time, ILogger logger)
    {
        _links = links;
        _bounds = bounds;
        _partitions = partitions;
        _time = time;
        _probes = new SiloProbes(OnAnswersAgain, time, logger);
    }

    /// <summary>Called, without a lock, when a silo failed or came back or membership changed: who waits for one looks again.</summary>
    internal Action OnChanged { get; set; } = () => { };

    /// <summary>Silos that are not avoided, as of the last <see cref="Refresh"/>.</summary>
    internal int Healthy => _healthy;

    /// <summary>The same after a <see cref="Refresh"/>.</summary>
    internal int HealthyNow
    {
        get
        {
            Refresh();
            return _healthy;
        }
    }

    /// <summary>Silos that membership has.</summary>
    internal int Known => _links.All.Count;

    /// <summary>Calls in flight.</summary>
    internal int Calls => Volatile.Read(ref _calls);

    /// <summary>Takes notice of membership. Not to be called under a partition's lock, as it calls <see cref="OnChanged"/>.</summary>
    internal void Refresh()
    {
        if (!ReferenceEquals(_links.All, _seen))
        {
            Adopt();
            OnChanged();
        }
    }

    /// <summary>Takes a slot for a packet.</summary>
    /// <returns>Its silo; null when no healthy one has room now.</returns>
    internal Silo? TryTake(PacketPartition partition, GatheredPacket packet)
    {
        lock (_gate)
        {
            return Take(Best(silo => HasRoom(silo, partition, packet)), partition, packet);
        }
    }

    /// <summary>
    /// Takes another silo for a packet that was certainly not taken by those that were tried. It need not have a slot: packets that change silos are
    /// bounded by the slots that they had.
    /// </summary>
    internal Silo? TryTakeAnother(PacketPartition partition, GatheredPacket packet, List<Silo> tried)
    {
        Refresh();
        lock (_gate)
        {
            return Take(Best(silo => !tried.Contains(silo)), partition, packet);
        }
    }

    /// <summary>A call ended: its slot is free, and the silo's state is what the call says.</summary>
    internal void OnEnded(Silo silo, PacketPartition partition, GatheredPacket packet, CallOutcome outcome)
    {
        bool failed;
        int failures;
        lock (_gate)
        {
            _calls--;
            silo.Packets--;
            silo.PacketsOf[partition.Number]--;
            silo.LoadOf(partition).Requests -= packet.Waiters.Count;
            silo.LoadOf(partition).Bytes -= packet.BufferBytes;
            silo.LackedRoom = outcome is CallOutcome.Full or CallOutcome.Short ? _time.GetTimestamp()
                : outcome == CallOutcome.Taken ? null
                : silo.LackedRoom;
            silo.Failures = outcome == CallOutcome.Taken ? 0 : silo.Failures;
            failed = silo.IsHealthy && silo.IsListed && outcome.IsAvoided();
            if (failed)
            {
                silo.IsHealthy = false;
                silo.Failures++;
                CountHealthy();
            }

            failures = silo.Failures;
        }

        if (failed)
        {
            _probes.Begin(silo, failures, outcome);
            OnChanged();
        }
    }

    /// <summary>Ends all probing.</summary>
    internal void Stop() => _probes.Stop();

    public void Dispose() => _probes.Dispose();

    private void OnAnswersAgain(Silo silo)
    {
        lock (_gate)
        {
            silo.IsHealthy = true;
            CountHealthy();
        }

        OnChanged();
    }

    // Apart from Refresh, which is called for each event: its closures would be made there.
    private void Adopt()
    {
        lock (_gate)
        {
            IReadOnlyList<ISiloLink> all = _links.All;
            Silo[] before = _silos;
            _silos = [.. all.Select(link => Array.Find(before, silo => ReferenceEquals(silo.Link, link)) ?? new Silo(link, _partitions))];
            foreach (Silo silo in before)
            {
                silo.IsListed = Array.IndexOf(_silos, silo) >= 0;
            }

            CountHealthy();
            _seen = all;
        }
    }

    private void CountHealthy() => _healthy = _silos.Count(silo => silo.IsHealthy);

    private Silo? Best(Func<Silo, bool> isCandidate)
    {
        Silo? best = null;
        (bool LacksRoom, int Packets) least = default;
        _turn++;
        for (int i = 0; i < _silos.Length; i++)
        {
            Silo silo = _silos[(int)((uint)(_turn + i) % (uint)_silos.Length)];
            if (!silo.IsHealthy || !isCandidate(silo))
            {
                continue;
            }

            (bool LacksRoom, int Packets) its = (silo.LackedRoom is { } since && _time.GetElapsedTime(since) < LackOfRoomLasts, silo.Packets);
            if (best is null || its.CompareTo(least) < 0)
            {
                best = silo;
                least = its;
            }
        }

        return best;
    }

    private bool HasRoom(Silo silo, PacketPartition partition, GatheredPacket packet)
    {
        long part = partition.IsSlow ? 4 : 2;
        Silo.Load load = silo.LoadOf(partition);
        return silo.PacketsOf[partition.Number] < PacketBounds.PacketsPerSilo(partition.IsSlow)
            && (load.Requests == 0
                || (load.Requests + packet.Waiters.Count <= _bounds.QueueRequests / part
                    && load.Bytes + packet.BufferBytes <= _bounds.QueueBytes / part));
    }

    private Silo? Take(Silo? silo, PacketPartition partition, GatheredPacket packet)
    {
        if (silo is not null)
        {
            _calls++;
            silo.Packets++;
            silo.PacketsOf[partition.Number]++;
            silo.LoadOf(partition).Requests += packet.Waiters.Count;
            silo.LoadOf(partition).Bytes += packet.BufferBytes;
        }

        return silo;
    }
}
