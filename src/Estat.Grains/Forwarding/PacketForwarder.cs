// A packet's way to a silo, or to another one, and back to those who wait.
using System.Collections.Concurrent;
using Estat.Base.Acks;

namespace Estat.Grains.Forwarding;

/// <summary>
/// A packet is sent again only when it was certainly not taken, to each silo once at the most. Everything else is final: what a silo took and did not
/// acknowledge may be stored, and a second copy would be a duplicate.
/// </summary>
internal sealed partial class PacketForwarder(
    SiloChoice silos, ForwardingQueue queue, PacketPool packets, ForwardingInstruments instruments, TimeProvider time, ILogger logger)
{
    // A silo that cannot be reached says so after a while: clients rather hear 503 than wait for the whole cluster to be asked in turn.
    private static readonly TimeSpan RetriesEndAfter = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<GatheredPacket, PacketPartition> _inFlight = new();
    private readonly AckSlices _answers = new();
    private long _acceptedRequests;

    /// <summary>Requests whose events a silo acknowledged.</summary>
    internal long AcceptedRequests => Volatile.Read(ref _acceptedRequests);

    /// <summary>Called, without a lock, when a packet's end may have made room for others'.</summary>
    internal Action OnRoom { get; set; } = () => { };

    /// <summary>Sends a packet; the silo's slot is taken.</summary>
    internal void Begin(PacketPartition partition, GatheredPacket packet, Silo silo)
    {
        _inFlight.TryAdd(packet, partition);
        instruments.OnPacket(packet.Events);
        _ = ForwardAsync(partition, packet, silo);
    }

    /// <summary>Answers a packet that was not sent.</summary>
    internal void Refuse(PacketPartition partition, GatheredPacket packet, Admission admission)
    {
        _answers.Answer(packet.Waiters, Refusal(admission));
        Free(partition, packet, isReusable: true);
    }

    /// <summary>Answers whoever waits for a packet in flight that nobody knows what became of it; what it comes to later is nobody's any
    /// more.</summary>
    /// <returns>Events of those packets.</returns>
    internal long GiveUp()
    {
        long events = 0;
        foreach (GatheredPacket packet in _inFlight.Keys)
        {
            if (_inFlight.TryRemove(packet, out _))
            {
                events += packet.Events;
                instruments.OnUnknown(packet.Events);
                _answers.Answer(packet.Waiters, Refusal(Admission.Unknown));
            }
        }

        return events;
    }

    private static Ack Refusal(Admission admission) => new(admission, AckLevel.Memory, "");

    private async Task ForwardAsync(PacketPartition partition, GatheredPacket packet, Silo silo)
    {
        (Ack ack, CallOutcome outcome) = await TryInTurnAsync(partition, packet, silo).ConfigureAwait(false);
        bool isOurs = _inFlight.TryRemove(packet, out _);
        if (isOurs)
        {
            if (ack.IsAccepted)
            {
                Interlocked.Add(ref _acceptedRequests, packet.Waiters.Count);
            }
            else if (ack.Admission == Admission.Unknown)
            {
                instruments.OnUnknown(packet.Events);
            }

            _answers.Answer(packet.Waiters, ack);
        }

        // A call that timed out may still hold the memory; refilled, it would be sent a second time under other events' answers.
        Free(partition, packet, isReusable: isOurs && outcome != CallOutcome.Unknown);
        partition.OnEnded();
        OnRoom();
    }

    private async Task<(Ack Ack, CallOutcome Outcome)> TryInTurnAsync(PacketPartition partition, GatheredPacket packet, Silo first)
    {
        long started = time.GetTimestamp();
        List<Silo>? tried = null;
        var refusal = Admission.NoSilo;
        for (Silo? silo = first; silo is not null;)
        {
            (Ack ack, CallOutcome outcome) = await CallAsync(partition, packet, silo).ConfigureAwait(false);
            if (!outcome.IsCertainlyNotTaken())
            {
                return (ack, outcome);
            }

            refusal = MoreTelling(refusal, ack.Admission);
            (tried ??= []).Add(silo);
            silo = time.GetElapsedTime(started) < RetriesEndAfter ? silos.TryTakeAnother(partition, packet, tried) : null;
            if (silo is not null)
            {
                instruments.OnRetry();
            }
        }

        return (Refusal(refusal), CallOutcome.Full);
    }

    private async Task<(Ack Ack, CallOutcome Outcome)> CallAsync(PacketPartition partition, GatheredPacket packet, Silo silo)
    {
        long started = time.GetTimestamp();
        Ack ack;
        CallOutcome outcome;
        try
        {
            ack = await silo.Link.SendAsync(
                new Packet(partition.Level, partition.Partition, packet.Events, packet.Chunk.Lines, partition.Prefix, packet.Requests))
                .ConfigureAwait(false);
            outcome = CallOutcomes.Of(ack.Admission);
            ack = outcome == CallOutcome.Unknown ? Refusal(Admission.Unknown) : ack;
        }
        catch (NotTakenException error)
        {
            LogUnreached(logger, silo.Link.Name, error.Message);
            (ack, outcome) = (Refusal(Admission.NoSilo), CallOutcome.Unreached);
        }
        catch (Exception error)
        {
            LogUnknown(logger, silo.Link.Name, packet.Events, error.Message);
            (ack, outcome) = (Refusal(Admission.Unknown), CallOutcome.Unknown);
        }

        instruments.OnCall(time.GetElapsedTime(started), outcome);
        silos.OnEnded(silo, partition, packet, outcome);
        return (ack, outcome);
    }

    // Of what several silos said: room comes back soonest in a queue, then on a disk.
    private static Admission MoreTelling(Admission one, Admission other) =>
        one == Admission.QueueFull || other == Admission.QueueFull ? Admission.QueueFull
        : one == Admission.StorageFull || other == Admission.StorageFull ? Admission.StorageFull
        : one == Admission.NoPrefix || other == Admission.NoPrefix ? Admission.NoPrefix
        : Admission.NoSilo;

    private void Free(PacketPartition partition, GatheredPacket packet, bool isReusable)
    {
        int requests = packet.Waiters.Count;
        int bytes = packet.BufferBytes;
        if (isReusable)
        {
            packets.Return(packet);
        }

        queue.Remove(requests, bytes, partition.IsSlow);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Could not reach silo {Silo}: {Error}")]
    private static partial void LogUnreached(ILogger logger, string silo, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Silo {Silo} failed during a call with {Events} events. The gateway did not acknowledge them; they may be stored, once: {Error}")]
    private static partial void LogUnknown(ILogger logger, string silo, int events, string error);
}
