// How often the log hears of what clients, or a fault, can make happen at any rate.
namespace Estat.Base.Logging;

/// <summary>
/// One line in so much time at the most; what happens in between is counted, and told with the next line. The caller logs, outside of this lock. Any
/// thread.
/// </summary>
/// <param name="between">Least time between two lines.</param>
/// <param name="time">Its clock.</param>
public sealed class TellLimit(TimeSpan between, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _toldAt;
    private long _untold;

    /// <summary>It happened.</summary>
    /// <returns>Whether it is told now.</returns>
    public bool IsDue() => IsDue(1, out _);

    /// <summary>It happened so many times.</summary>
    /// <param name="times">How often.</param>
    /// <param name="untold">How often since it was last told, these times included.</param>
    /// <returns>Whether it is told now.</returns>
    public bool IsDue(long times, out long untold)
    {
        lock (_gate)
        {
            untold = _untold += times;
            if (_toldAt is { } toldAt && time.GetElapsedTime(toldAt) < between)
            {
                return false;
            }

            _toldAt = time.GetTimestamp();
            _untold = 0;
            return true;
        }
    }
}
