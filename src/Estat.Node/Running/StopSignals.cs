// SIGTERM, SIGINT and SIGQUIT: the first asks for a drain, the second for a hurried one. Neither ends the process by itself. Other signals end
// nothing.
using System.Runtime.InteropServices;
using Estat.Base.Threading;

namespace Estat.Node.Running;

/// <summary>
/// Replaces the host's own signal handling, which would close the listener first and so answer new requests with a refused connection instead of
/// 503 + Retry-After.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="limit">Is told of a stop that no signal asked for; null where a test owns the process.</param>
internal sealed class StopSignals(TimeProvider time, ExitLimit? limit = null) : IHostLifetime, IDisposable
{
    // Supervisors often signal a process and its group, so that one stop arrives twice within a moment. That is no wish to hurry.
    private static readonly TimeSpan SameStop = TimeSpan.FromMilliseconds(500);

    // By default these end a process, undrained. Supervisors send them to ask for new files, log rotation, or a report: who has none to read again
    // goes on. Their numbers are Linux's; .NET has no names for the last two.
    private static readonly PosixSignal[] NoStop =
        OperatingSystem.IsLinux() ? [PosixSignal.SIGHUP, (PosixSignal)10, (PosixSignal)12] : OperatingSystem.IsWindows() ? [] : [PosixSignal.SIGHUP];

    private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _second = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Lock _gate = new();
    private long _firstAt;

    /// <summary>Completes with the name of the first signal.</summary>
    internal Task<string> First => _first.Task;

    /// <summary>Cancelled by a second signal, half a second or more after the first.</summary>
    internal CancellationToken Second => _second.Token;

    /// <summary>Starts listening. A signal before this ends the process as usual: there is nothing to lose yet.</summary>
    internal void Register()
    {
        foreach (PosixSignal signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Stop(context.Signal.ToString());
            }));
        }

        foreach (PosixSignal signal in NoStop)
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, static context => context.Cancel = true));
        }
    }

    /// <summary>Acts as a signal of this name.</summary>
    internal void Stop(string name)
    {
        lock (_gate)
        {
            if (!_first.Task.IsCompleted)
            {
                _firstAt = time.GetTimestamp();
                limit?.Begin();
                _first.SetResult(name);
                return;
            }

            if (time.GetElapsedTime(_firstAt) < SameStop)
            {
                return;
            }
        }

        try
        {
            _second.Cancel();
        }
        catch (Exception error) when (error is AggregateException or ObjectDisposedException)
        {
            // It came at the very end, or one of those who hurry failed at that: neither must end the process here.
        }
    }

    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _second.Dispose();
    }
}
