// What is measured: one server, or several processes that serve together.
namespace Estat.Bench.Nodes;

internal interface INode : IAsyncDisposable
{
    /// <summary>Where it takes requests.</summary>
    Uri Address { get; }

    /// <summary>Processor time, user and system, of all its processes.</summary>
    TimeSpan CpuTime { get; }

    /// <summary>Memory that its processes occupy.</summary>
    long ResidentBytes { get; }

    /// <summary>Bytes allocated since the start by all its processes; null if nobody knows.</summary>
    Task<double?> AllocatedBytesAsync();

    /// <summary>Returns once nothing of a load that has ended is still being compressed or uploaded, and throws away what was stored.</summary>
    Task SettleAsync();
}
