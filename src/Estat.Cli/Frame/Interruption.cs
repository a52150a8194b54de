// Ctrl-C and SIGTERM: the first asks the verb to finish what is in flight and to save, the second ends the program at once. So does the time that it
// has for it.
using System.Runtime.InteropServices;
using Estat.Base.Options;
using Estat.Base.Threading;

namespace Estat.Cli.Frame;

/// <summary>
/// One for the program. A verb passes <see cref="Asked"/> to what may be left undone, and never to what must not be torn (a request, a write): that
/// has until <see cref="Late"/>. Whatever hangs, the program ends within SHUTDOWN_TIMEOUT.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // A terminal's Ctrl-C and a supervisor's stop may both arrive within a moment: that is no wish to hurry.
    private static readonly TimeSpan SameStop = TimeSpan.FromMilliseconds(300);

    // What is in flight is given up in time to note that nobody knows what came of it.
    private static readonly TimeSpan LongestNoting = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _asked = new();
    private readonly CancellationTokenSource _late = new();
    private readonly ExitLimit _exit;
    private readonly TimeSpan _limit;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly TimeProvider _time;
    private readonly TextWriter _error;
    private readonly Lock _gate = new();
    private long _firstAt;
    private bool _said;

    internal Interruption(TimeProvider time, TextWriter error, TimeSpan limit)
    {
        _time = time;
        _error = error;
        _limit = limit;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        _registrations.AddRange(signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)));
        _exit = new ExitLimit(
            limit, ExitCode.Interrupted,
            $"estat: did not end within SHUTDOWN_TIMEOUT={GoDuration.Format(limit)} of the signal, and ends now. Whether requests in flight were "
            + "taken is unknown. What was saved before is valid", signals);
    }

    /// <summary>Cancelled by the first signal.</summary>
    internal CancellationToken Asked => _asked.Token;

    /// <summary>Cancelled when what is in flight has had its time.</summary>
    internal CancellationToken Late => _late.Token;

    /// <summary>Whether the first signal has come.</summary>
    internal bool IsAsked => _asked.IsCancellationRequested;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _exit.Dispose();
        _asked.Dispose();
        _late.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        bool second = false;
        lock (_gate)
        {
            if (!_said)
            {
                _said = true;
                _firstAt = _time.GetTimestamp();
            }
            else if (_time.GetElapsedTime(_firstAt) < SameStop)
            {
                return;
            }
            else
            {
                second = true;
            }
        }

        if (second)
        {
            try
            {
                _error.WriteLine("estat: ended at once by the second signal; whether requests in flight were taken is unknown");
            }
            catch (IOException)
            {
                // Nobody can be told; the exit code says it.
            }

            Environment.Exit(ExitCode.Interrupted);
        }

        try
        {
            _late.CancelAfter(_limit - (_limit / 5 < LongestNoting ? _limit / 5 : LongestNoting));
        }
        catch (ObjectDisposedException)
        {
            return; // the verb has just ended
        }

        // Not on the thread of signals: what is cancelled may take a while, and the second signal must get through.
        _ = Task.Run(_asked.Cancel);
    }
}
