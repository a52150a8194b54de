// A counter that many cores add to without sharing a cache line.
namespace Estat.Base.Metrics;

/// <summary>One cell per core, each on its own cache line; read by adding them up.</summary>
public sealed class StripedCounter
{
    private const int LongsPerLine = 16; // 128 bytes: two lines, as prefetchers fetch pairs
    private readonly long[] _cells;
    private readonly int _mask;

    /// <summary>A counter at zero.</summary>
    public StripedCounter()
    {
        int cells = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount);
        _mask = cells - 1;
        _cells = new long[(cells + 1) * LongsPerLine];
    }

    /// <summary>The sum; a reading of each cell at its own moment.</summary>
    public long Value
    {
        get
        {
            long sum = 0;
            for (int i = LongsPerLine; i < _cells.Length; i += LongsPerLine)
            {
                sum += Volatile.Read(ref _cells[i]);
            }

            return sum;
        }
    }

    /// <summary>Adds one.</summary>
    /// <returns>The cell's new value: a cheap source for sampling every n-th call.</returns>
    public long Increment() => Interlocked.Increment(ref Cell);

    /// <summary>Adds a number.</summary>
    public void Add(long count) => Interlocked.Add(ref Cell, count);

    private ref long Cell => ref _cells[((Thread.GetCurrentProcessorId() & _mask) + 1) * LongsPerLine];
}
