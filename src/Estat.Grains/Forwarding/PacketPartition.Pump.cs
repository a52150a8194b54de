// When a partition's packets leave, and what it does while they cannot.
using Estat.Base.Acks;

namespace Estat.Grains.Forwarding;

internal sealed partial class PacketPartition
{
    // Membership says nothing when it changes: who has nowhere to send to looks again after this.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>Sends what is due as long as silos have room. When there is no silo left, what has gathered is answered so at once.</summary>
    internal void Pump()
    {
        // One thread at a time: a call that ends at once must not be the caller of the next one, and so on down the stack.
        if (Interlocked.Increment(ref _pumps) != 1)
        {
            return;
        }

        int seen;
        do
        {
            seen = Volatile.Read(ref _pumps);
            while (TakeDue(out Silo? silo) is { } packet)
            {
                if (silo is null)
                {
                    _forwarder.Refuse(this, packet, Admission.NoSilo);
                }
                else
                {
                    _forwarder.Begin(this, packet, silo);
                }
            }
        }
        while (Interlocked.CompareExchange(ref _pumps, 0, seen) != seen);
    }

    /// <summary>A silo may have room that had none.</summary>
    internal void OnRoom()
    {
        lock (_gate)
        {
            if (_filling is null && _full.Count == 0)
            {
                return;
            }

            _lacksRoom = false;
        }

        Pump();
    }

    /// <summary>One of its packets was answered.</summary>
    internal void OnEnded()
    {
        lock (_gate)
        {
            _inFlight--;
            _lacksRoom = false;
        }

        Pump();
    }

    /// <summary>Takes no more events; what has gathered goes at once.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        Pump();
    }

    /// <summary>Answers what was not sent yet.</summary>
    internal void GiveUp()
    {
        while (TakeAny() is { } packet)
        {
            _forwarder.Refuse(this, packet, Admission.Draining);
        }
    }

    private bool IsDue() =>
        _full.Count > 0
        || (_filling is { } filling && (filling.Events >= _bounds.WorthSending(_inFlight) || _hasWaited || _closed));

    // The next packet with its silo, or without one when there is none any more; null when nothing is due or no silo has room.
    private GatheredPacket? TakeDue(out Silo? silo)
    {
        silo = null;
        lock (_gate)
        {
            if (_silos.Healthy == 0)
            {
                _lacksRoom = false;
                return TakeNext();
            }

            if (!IsDue())
            {
                return null;
            }

            GatheredPacket next = _full.Count > 0 ? _full.Peek() : _filling!;
            silo = _silos.TryTake(this, next);
            if (silo is null)
            {
                _lacksRoom = true;
                LookAgainLater();
                return null;
            }

            _inFlight++;
            return TakeNext();
        }
    }

    private GatheredPacket? TakeAny()
    {
        lock (_gate)
        {
            return TakeNext();
        }
    }

    private GatheredPacket? TakeNext()
    {
        if (_full.TryDequeue(out GatheredPacket? packet))
        {
            _backlog = _full.Count;
            return packet;
        }

        packet = _filling;
        _filling = null;
        return packet;
    }

    private void PumpIf(bool isDue)
    {
        if (isDue)
        {
            Pump();
        }
    }

    private void OnTimer()
    {
        _silos.Refresh();
        lock (_gate)
        {
            _hasTimer = false;
            _lacksRoom = false;
            TimeSpan left = _longestGathering - _time.GetElapsedTime(_fillingSince);
            _hasWaited = left <= TimeSpan.Zero;
            if (_filling is not null && !IsDue())
            {
                ArmTimer(left);
                return;
            }
        }

        Pump();
    }

    // A timer for what gathers comes sooner.
    private void LookAgainLater()
    {
        if (!_hasTimer)
        {
            _timer.Change(BetweenLooks, Timeout.InfiniteTimeSpan);
        }
    }

    private void ArmTimer(TimeSpan due)
    {
        _hasTimer = true;
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }
}
