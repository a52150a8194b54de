// Resident memory of a process over a while.
namespace Estat.Bench.Measuring;

/// <summary>Reads it four times a second from its start to <see cref="StopAsync"/>.</summary>
internal sealed class MemoryWatch : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<List<double>> _watching;

    internal MemoryWatch(Func<long> residentBytes) => _watching = WatchAsync(residentBytes, _stop.Token);

    /// <summary>Megabytes, oldest first; one at least.</summary>
    internal async Task<IReadOnlyList<double>> StopAsync()
    {
        await _stop.CancelAsync();
        return await _watching;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static async Task<List<double>> WatchAsync(Func<long> residentBytes, CancellationToken stop)
    {
        var seen = new List<double>();
        using var timer = new PeriodicTimer(Between);
        try
        {
            do
            {
                seen.Add(residentBytes() / Metric.Megabyte);
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            seen.Add(residentBytes() / Metric.Megabyte);
        }

        return seen;
    }
}
