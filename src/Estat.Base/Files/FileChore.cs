// Work on files that comes round every so often, and whose calls may never come back: a network's file system that hangs, a pipe that nobody writes
// to.
namespace Estat.Base.Files;

/// <summary>
/// One round at a time, on a thread that is for nothing else. A round that hangs keeps nobody waiting: no lock is held, the next rounds are left out,
/// and
/// <paramref name="onHang"/> is told once. When it comes back after all, rounds go on. Any thread.
/// </summary>
/// <param name="interval">Time between two rounds.</param>
/// <param name="time">Clock and timer.</param>
/// <param name="round">The work; told whether somebody asked for this round. Ends its own errors.</param>
/// <param name="onHang">A round has taken longer than <see cref="Longest"/>.</param>
public sealed class FileChore(TimeSpan interval, TimeProvider time, Action<bool> round, Action onHang) : IDisposable
{
    /// <summary>A round that takes longer hangs.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    // At the end of a process, well within what is left of SHUTDOWN_TIMEOUT.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private Task _round = Task.CompletedTask;
    private long _begun;
    private bool _isAsked;
    private bool _isOver;
    private volatile bool _hangs;

    /// <summary>Whether a round hangs.</summary>
    public bool Hangs => _hangs;

    /// <summary>The round under way, or the last one.</summary>
    public Task Round
    {
        get
        {
            lock (_gate)
            {
                return _round;
            }
        }
    }

    /// <summary>The first round begins after the interval.</summary>
    public void Start() => _timer = time.CreateTimer(static chore => ((FileChore)chore!).OnTick(), this, interval, interval);

    /// <summary>Somebody wants a round now.</summary>
    public void Ask()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _isAsked = true;
                Begin();
            }
        }
    }

    /// <summary>Ends the rounds; with a last one if it is wanted. One that hangs is left behind.</summary>
    public void End(bool withLastRound)
    {
        _timer?.Dispose();
        Task last;
        lock (_gate)
        {
            if (withLastRound && !_isOver)
            {
                _isAsked = true;
                Begin();
            }

            _isOver = true;
            last = _round;
        }

        _ = Task.WaitAny([last], LongestEnd);
    }

    /// <inheritdoc/>
    public void Dispose() => End(withLastRound: false);

    private void OnTick()
    {
        bool beganToHang = false;
        lock (_gate)
        {
            if (!_isOver && !Begin() && !_hangs && time.GetElapsedTime(_begun) >= Longest)
            {
                _hangs = beganToHang = true;
            }
        }

        if (beganToHang)
        {
            onHang();
        }
    }

    // Behind a round that is under way, if there is one and somebody asked: that may have looked too early.
    private bool Begin()
    {
        if (_isOver || !_round.IsCompleted)
        {
            return false;
        }

        bool isAsked = _isAsked;
        _isAsked = false;
        _begun = time.GetTimestamp();
        _round = Task.Factory.StartNew(() => Run(isAsked), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return true;
    }

    private void Run(bool isAsked)
    {
        while (true)
        {
            round(isAsked);
            lock (_gate)
            {
                _hangs = false;
                if (!_isAsked)
                {
                    return;
                }

                isAsked = true;
                _isAsked = false;
                _begun = time.GetTimestamp();
            }
        }
    }
}
