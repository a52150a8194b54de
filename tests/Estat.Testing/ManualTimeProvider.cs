// Time that moves only when a test says so.

namespace Estat.Testing;

/// <summary>
/// A clock with one driver: <see cref="Advance"/> moves the wall clock and the timestamps together and fires, on the calling
/// thread and in due order, every timer that comes due on the way. Nothing fires otherwise, not even a timer that is due at once:
/// that takes an <c>Advance(TimeSpan.Zero)</c>. Any thread may create, change and dispose timers.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _driving = new();
    private readonly Lock _state = new();
    private readonly SortedSet<ManualTimer> _scheduled = new(DueOrder.Instance);
    private TimeSpan _elapsed;
    private DateTimeOffset _origin;
    private long _sequence;

    /// <summary>Starts at the given moment.</summary>
    public ManualTimeProvider(DateTimeOffset start) => _origin = start.ToUniversalTime();

    /// <summary>Starts at 2026-01-02 03:04:05 UTC.</summary>
    public ManualTimeProvider()
        : this(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))
    {
    }

    /// <summary>
    /// The wall clock. Setting it is what an administrator or NTP does: timestamps and timers, which count elapsed time, take no notice.
    /// </summary>
    public DateTimeOffset UtcNow
    {
        get
        {
            lock (_state)
            {
                return _origin + _elapsed;
            }
        }

        set
        {
            lock (_state)
            {
                _origin = value.ToUniversalTime() - _elapsed;
            }
        }
    }

    /// <summary>How many timers wait for their time: lets a test wait until the code under test has set its timer.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (_state)
            {
                return _scheduled.Count;
            }
        }
    }

    /// <summary>How long until the next timer is due; null when none is.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (_state)
            {
                return _scheduled.Min is { } next ? next.Due - _elapsed : null;
            }
        }
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => UtcNow;

    public override long GetTimestamp()
    {
        lock (_state)
        {
            return _elapsed.Ticks;
        }
    }

    /// <summary>Moves time forwards. When it returns, every timer due by then has fired; each saw the time at which it was due.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (_driving)
        {
            TimeSpan target;
            lock (_state)
            {
                target = _elapsed + by;
            }

            while (NextDueBy(target) is { } timer)
            {
                timer.Fire();
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Takes the earliest timer due by then and moves time to it; moves time to the target when there is none.</summary>
    private ManualTimer? NextDueBy(TimeSpan target)
    {
        lock (_state)
        {
            if (_scheduled.Min is not { } timer || timer.Due > target)
            {
                // A callback that advanced time itself may have gone beyond the target already.
                _elapsed = target > _elapsed ? target : _elapsed;
                return null;
            }

            _scheduled.Remove(timer);
            _elapsed = timer.Due > _elapsed ? timer.Due : _elapsed;
            if (timer.Period > TimeSpan.Zero)
            {
                Schedule(timer, timer.Due + timer.Period);
            }

            return timer;
        }
    }

    private void Schedule(ManualTimer timer, TimeSpan due)
    {
        timer.Due = due;
        timer.Sequence = ++_sequence;
        _scheduled.Add(timer);
    }

    private sealed class ManualTimer(ManualTimeProvider provider, TimerCallback callback, object? state) : ITimer
    {
        // As a real timer does, so that AsyncLocals of the creator are there in the callback.
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private bool _disposed;

        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public long Sequence { get; set; }

        public void Fire()
        {
            if (_context is null)
            {
                callback(state);
            }
            else
            {
                ExecutionContext.Run(_context, _ => callback(state), null);
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Check(dueTime, nameof(dueTime));
            Check(period, nameof(period));
            lock (provider._state)
            {
                if (_disposed)
                {
                    return false;
                }

                provider._scheduled.Remove(this);
                Period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    provider.Schedule(this, provider._elapsed + dueTime);
                }

                return true;
            }
        }

        public void Dispose()
        {
            lock (provider._state)
            {
                _disposed = true;
                provider._scheduled.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private static void Check(TimeSpan time, string name)
        {
            if (time != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
            }
        }
    }

    private sealed class DueOrder : IComparer<ManualTimer>
    {
        public static readonly DueOrder Instance = new();

        public int Compare(ManualTimer? x, ManualTimer? y) =>
            x!.Due != y!.Due ? x.Due.CompareTo(y.Due) : x.Sequence.CompareTo(y.Sequence);
    }
}
