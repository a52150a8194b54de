// SIGTERM, SIGINT and SIGQUIT: the first asks for a drain, the second for a hurried one. Neither ends the process by itself.
using System.Runtime.InteropServices;

namespace Estat.Api.Hosting;

/// <summary>
/// Replaces the host's own signal handling, which would close the listener first and so answer newcomers with a refused connection instead of
/// 503 + Retry-After.
/// </summary>
internal sealed class StopSignals : IHostLifetime, IDisposable
{
    private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _second = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Completes with the name of the first signal.</summary>
    internal Task<string> First => _first.Task;

    /// <summary>Cancelled by the second signal.</summary>
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
    }

    /// <summary>Acts as a signal of this name.</summary>
    internal void Stop(string name)
    {
        if (!_first.TrySetResult(name))
        {
            _second.Cancel();
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
