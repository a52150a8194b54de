// How much a gateway holds, sends at once, and waits for.
using Estat.Collect.Batching;
using Estat.Collect.Options;

namespace Estat.Grains.Forwarding;

/// <summary>A gateway's bounds, from its options. A single event or block that is larger than a bound passes when it is alone.</summary>
internal sealed record PacketBounds
{
    // Packets of this many events cost next to nothing per event; larger ones only take longer.
    private const int MostEvents = 1000;

    // A call costs some tens of microseconds whatever it carries.
    private const int FirstWorth = 16;

    // Fewer would make a gateway with a small CHANNEL_BYTES refuse while its first packets are in flight.
    private const int LeastChunks = 4;

    internal PacketBounds(CollectOptions options)
    {
        QueueRequests = options.ChannelSize;
        QueueBytes = Math.Max(LeastChunks * ChunkPool.ChunkBytes, options.ChannelBytes);
        PacketEvents = Math.Clamp(options.ChannelSize / 4, 1, MostEvents);
    }

    /// <summary>Requests with events in memory, gathered and in flight, over all partitions (<c>CHANNEL_SIZE</c>). Half of them may be at
    /// <c>stored</c>, so that its long calls leave room.</summary>
    internal long QueueRequests { get; }

    /// <summary>Memory of their events, bytes (<c>CHANNEL_BYTES</c>, 1 MB at least).</summary>
    internal long QueueBytes { get; }

    /// <summary>Events in a packet, unless a single block has more.</summary>
    internal int PacketEvents { get; }

    /// <summary>
    /// Gathered events that go while so many earlier packets of their partition are in flight: 1 with none, then 16, 64, and a quarter of a packet at
    /// the most. The busier the partition, the more a call has to carry.
    /// </summary>
    internal int WorthSending(int inFlight) =>
        inFlight == 0 ? 1 : Math.Clamp(FirstWorth << (2 * Math.Min(inFlight - 1, 4)), 1, Math.Max(1, PacketEvents / 4));

    /// <summary>Packets of one partition in flight to one silo: a silo that hangs holds no more, and the partition goes on with the others.</summary>
    internal static int PacketsPerSilo(bool isSlow) => isSlow ? 32 : 4;

    /// <summary>How long an event waits for others at the most, while earlier packets of its partition are in flight and a silo has room.</summary>
    internal static TimeSpan LongestGathering(bool isSlow) => TimeSpan.FromMilliseconds(isSlow ? 20 : 2);
}
