// The log's clock: the machine's, but for a jump that nobody can mean.
namespace Estat.Topics.Embedded;

/// <summary>
/// A message that was stamped a year ahead would end every retention at once and hold the log's time there for a year. So a clock that jumps forward
/// is believed only once it has stood by it; until then time goes on as the machine counts it. One user.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class LogClock(TimeProvider time)
{
    /// <summary>A jump forward that is not believed at once.</summary>
    internal static readonly TimeSpan Jump = TimeSpan.FromMinutes(5);

    /// <summary>How long the clock has to stand by it.</summary>
    internal static readonly TimeSpan Doubt = TimeSpan.FromMinutes(10);

    private long _reckoned;
    private long _countedAt;
    private long _doubtedAt;
    private bool _isBegun;

    /// <summary>Whether the clock is not believed now.</summary>
    internal bool IsDoubted { get; private set; }

    /// <summary>The time, in milliseconds since 1970.</summary>
    internal long Now()
    {
        long counted = time.GetTimestamp();
        long wall = time.GetUtcNow().ToUnixTimeMilliseconds();
        long reckoned = _reckoned + (long)time.GetElapsedTime(_countedAt, counted).TotalMilliseconds;
        bool isAhead = _isBegun && wall - reckoned > Jump.TotalMilliseconds;
        if (isAhead && !IsDoubted)
        {
            _doubtedAt = counted;
        }

        IsDoubted = isAhead && time.GetElapsedTime(_doubtedAt, counted) < Doubt;
        _isBegun = true;
        _countedAt = counted;
        return _reckoned = IsDoubted ? reckoned : wall;
    }
}
