// How many events a UTC day.
namespace Estat.Base.Access;

/// <summary>
/// What a key has used of its last days. A clock that goes back finds the day that it comes to as it was: a day is not begun anew, and what a clock
/// that had jumped forward used up of later days is forgotten. Any thread.
/// </summary>
internal sealed class DailyQuota
{
    /// <summary>Days that are remembered; of more than these the earliest go.</summary>
    internal const int MostDays = 8;

    // A clock that is set right by seconds at midnight stays in the day that it had begun.
    private static readonly TimeSpan Correction = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly List<(int Day, long Used)> _earlier = []; // ascending; allocated when a second day comes
    private int _day;
    private long _used;

    /// <summary>The number of a UTC day.</summary>
    internal static int DayOf(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime).DayNumber;

    /// <summary>What was used of each day that is remembered, the last one first.</summary>
    internal (int Day, long Used)[] Read(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (IsBehind(now))
            {
                ComeTo(DayOf(now));
            }

            return [(_day, _used), .. Enumerable.Reverse(_earlier)];
        }
    }

    /// <summary>Goes on from what an earlier start had counted. Before anything is taken.</summary>
    internal void Resume(int day, long used)
    {
        lock (_gate)
        {
            ComeTo(day);
            _used = used;
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
            if (day > _day || (day < _day && IsBehind(now)))
            {
                ComeTo(day);
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

    /// <summary>Gives back what was taken for events that were not acknowledged. What was taken of a day that is over is of no use to another
    /// one.</summary>
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

    private bool IsBehind(DateTimeOffset now) =>
        _day > DayOf(now) && now.UtcDateTime + Correction < DateOnly.FromDayNumber(_day).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);

    // Later days are forgotten; an earlier one is as it was.
    private void ComeTo(int day)
    {
        if (day > _day && _used > 0)
        {
            _earlier.Add((_day, _used));
            if (_earlier.Count == MostDays)
            {
                _earlier.RemoveAt(0);
            }
        }

        _earlier.RemoveAll(each => each.Day > day);
        bool isKnown = _earlier.Count > 0 && _earlier[^1].Day == day;
        (_day, _used) = (day, isKnown ? _earlier[^1].Used : 0);
        if (isKnown)
        {
            _earlier.RemoveAt(_earlier.Count - 1);
        }
    }
}
