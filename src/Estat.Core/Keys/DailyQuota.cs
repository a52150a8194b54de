// How many events a UTC day.
namespace Estat.Core.Keys;

/// <summary>What a key has used of its day. A clock that goes back does not begin a day anew. Any thread.</summary>
internal sealed class DailyQuota
{
    private readonly Lock _gate = new();
    private int _day;
    private long _used;

    /// <summary>The number of a UTC day.</summary>
    internal static int DayOf(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime).DayNumber;

    /// <summary>What was used, and of which day.</summary>
    internal (int Day, long Used) Read()
    {
        lock (_gate)
        {
            return (_day, _used);
        }
    }

    /// <summary>Goes on from what an earlier start had counted. Before anything is taken.</summary>
    internal void Resume(int day, long used)
    {
        lock (_gate)
        {
            (_day, _used) = (day, used);
        }
    }

    /// <summary>Takes events of the day; all or none.</summary>
    /// <param name="quota">Events a day.</param>
    /// <param name="now">The time.</param>
    /// <param name="events">How many; 0 only looks whether there is room for one.</param>
    /// <param name="day">The day that they count for.</param>
    internal bool TryTake(long quota, DateTimeOffset now, int events, out int day)
    {
        day = DayOf(now);
        lock (_gate)
        {
            if (day > _day)
            {
                (_day, _used) = (day, 0);
            }

            day = _day;
            if (_used + Math.Max(1, events) > quota)
            {
                return false;
            }

            _used += events;
            return true;
        }
    }

    /// <summary>Gives back what was taken for events that were not acknowledged. What was taken of a day that is over is of no use to another one.</summary>
    internal void GiveBack(int events, int day)
    {
        lock (_gate)
        {
            if (day == _day)
            {
                _used -= events;
            }
        }
    }

    /// <summary>How long until the next UTC day.</summary>
    internal static TimeSpan UntilNextDay(DateTimeOffset now) => TimeSpan.FromDays(1) - now.UtcDateTime.TimeOfDay;
}
