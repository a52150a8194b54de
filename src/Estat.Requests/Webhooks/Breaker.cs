// Stops the calls of a campaign whose endpoint fails, so that an outage does not use up everybody's attempts.
namespace Estat.Requests.Webhooks;

/// <summary>
/// Opens when <see cref="Limit"/> of the last <see cref="Window"/> calls failed. While it is open one call, the probe, may begin every
/// <see cref="ProbeEvery"/>; a probe that succeeds closes it. Not safe for threads: its owner locks.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Breaker(TimeProvider time)
{
    /// <summary>Calls that it remembers.</summary>
    internal const int Window = 20;

    /// <summary>Failures among them that open it.</summary>
    internal const int Limit = Window / 2;

    /// <summary>Between the beginnings of two probes.</summary>
    internal static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(5);

    private readonly Queue<bool> _failed = new(Window);
    private int _failures;
    private long _openedAt;
    private long _probedAt;
    private bool _isProbing;

    /// <summary>Whether only probes may begin.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>For how long it has been open; zero while it is closed.</summary>
    internal TimeSpan OpenFor => IsOpen ? time.GetElapsedTime(_openedAt) : TimeSpan.Zero;

    /// <summary>How many of these calls may begin now.</summary>
    internal int Allow(int calls) =>
        !IsOpen ? calls : !_isProbing && time.GetElapsedTime(_probedAt) >= ProbeEvery ? Math.Min(calls, 1) : 0;

    /// <summary>A call begins.</summary>
    /// <returns>Whether it is a probe.</returns>
    internal bool Begin()
    {
        if (!IsOpen || _isProbing)
        {
            return false;
        }

        _isProbing = true;
        _probedAt = time.GetTimestamp();
        return true;
    }

    /// <summary>A call has ended. Calls that began before it opened say nothing about now, so while it is open only the probe counts.</summary>
    internal void End(bool isProbe, bool isFailure)
    {
        if (!IsOpen)
        {
            Remember(isFailure);
        }
        else if (isProbe)
        {
            _isProbing = false;
            IsOpen = isFailure;
        }
    }

    private void Remember(bool isFailure)
    {
        if (_failed.Count == Window && _failed.Dequeue())
        {
            _failures--;
        }

        _failed.Enqueue(isFailure);
        _failures += isFailure ? 1 : 0;
        if (_failures >= Limit)
        {
            IsOpen = true;
            _openedAt = _probedAt = time.GetTimestamp();
            _failed.Clear();
            _failures = 0;
        }
    }
}
