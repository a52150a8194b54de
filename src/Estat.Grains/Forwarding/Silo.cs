// What a gateway knows of one silo.
namespace Estat.Grains.Forwarding;

/// <summary>A silo as this gateway sees it. Every member but <see cref="Link"/> belongs to <see cref="SiloChoice"/>, under its lock.</summary>
/// <param name="link">The way to it; its identity is the silo's.</param>
/// <param name="partitions">How many partitions the gateway has.</param>
internal sealed class Silo(ISiloLink link, int partitions)
{
    internal ISiloLink Link { get; } = link;

    /// <summary>Whether membership still has it.</summary>
    internal bool IsListed { get; set; } = true;

    /// <summary>False from a failure until it answers a probe.</summary>
    internal bool IsHealthy { get; set; } = true;

    /// <summary>Failures since a packet was last taken; probing begins the slower the more there were.</summary>
    internal int Failures { get; set; }

    /// <summary>When it last had no room, as a timestamp; null when it took a packet since.</summary>
    internal long? LackedRoom { get; set; }

    /// <summary>Packets in flight to it.</summary>
    internal int Packets { get; set; }

    /// <summary>The same by partition.</summary>
    internal int[] PacketsOf { get; } = new int[partitions];

    /// <summary>What is in flight to it at <c>stored</c>, whose calls take long by nature.</summary>
    internal Load Slow { get; } = new();

    /// <summary>What is in flight to it at the other levels.</summary>
    internal Load Quick { get; } = new();

    internal Load LoadOf(PacketPartition partition) => partition.IsSlow ? Slow : Quick;

    /// <summary>Requests and the memory that their events hold, bytes.</summary>
    internal sealed class Load
    {
        internal long Requests { get; set; }

        internal long Bytes { get; set; }
    }
}
