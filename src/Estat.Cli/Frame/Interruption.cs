// Ctrl-C and SIGTERM: the first asks the verb to finish what is in flight and to save, the second ends the program at once.
using System.Runtime.InteropServices;

namespace Estat.Cli.Frame;

/// <summary>One for the program. A verb passes <see cref="Asked"/> to what may be left undone, and never to what must not be torn (a request, a write).</summary>
internal sealed class Interruption : IDisposable
{
    // A terminal's Ctrl-C and a supervisor's stop may both arrive within a moment: that is no wish to hurry.
    private static readonly TimeSpan SameStop = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly TimeProvider _time;
    private readonly TextWriter _error;
    private readonly Lock _gate = new();
    private long _firstAt;
    private bool _said;

    internal Interruption(TimeProvider time, TextWriter error)
    {
        _time = time;
        _error = error;
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    internal CancellationToken Asked => _asked.Token;

    /// <summary>Whether the first signal has come.</summary>
    internal bool IsAsked => _asked.IsCancellationRequested;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _asked.Dispose();
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
            _error.WriteLine("estat: ended at once by the second signal; what was in flight is unknown");
            Environment.Exit(ExitCode.Interrupted);
        }

        // Not on the thread of signals: what is cancelled may take a while, and the second signal must get through.
        _ = Task.Run(_asked.Cancel);
    }
}
