// Every pool of a server's connections, and when they let go of what they do not need.
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Connections;

/// <summary>Makes a pool for each of Kestrel's groups of connections, which live as long as the server. Any thread.</summary>
internal sealed class BlockPools : IMemoryPoolFactory<byte>, IDisposable
{
    /// <summary>How long a block may be kept that nobody needs: once more than a burst of requests takes, and twice at the most.</summary>
    internal static readonly TimeSpan LetGoEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly List<BlockPool> _pools = [];
    private readonly ITimer _timer;

    /// <param name="time">The clock.</param>
    internal BlockPools(TimeProvider time) =>
        _timer = time.CreateTimer(static pools => ((BlockPools)pools!).LetGo(), this, LetGoEvery, LetGoEvery);

    /// <summary>Bytes that are kept and that nobody uses.</summary>
    internal long IdleBytes => All().Sum(pool => (long)pool.Idle) * BlockPool.BlockBytes;

    /// <inheritdoc/>
    public System.Buffers.MemoryPool<byte> Create(MemoryPoolOptions? options = null)
    {
        var pool = new BlockPool();
        lock (_gate)
        {
            _pools.Add(pool);
        }

        return pool;
    }

    /// <summary>Adds its metric.</summary>
    internal void Observe(Meter meter) => meter.CreateObservableGauge(
        "estat_connection_idle_bytes", () => IdleBytes, "By",
        "Memory that the server keeps for reads and writes of connections, and that no connection uses now; after 10 s without use it is freed");

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void LetGo()
    {
        foreach (BlockPool pool in All())
        {
            pool.LetGo();
        }
    }

    private BlockPool[] All()
    {
        lock (_gate)
        {
            return [.. _pools];
        }
    }
}
