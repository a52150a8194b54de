// A silo's drain: once, whoever asks for it first.
using Estat.Collect.Hosting;

namespace Estat.Silo.Hosting;

/// <summary>
/// Starts the engine before the silo can be called, and drains it before the silo leaves: its stage is the last one, so its stop is the first. A stop
/// that does not come by a signal, as in a test or from a host that ends itself, so drains as well.
/// </summary>
internal sealed class EngineDrain(Engine engine, TimeSpan limit) : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly Lock _gate = new();
    private Task<long>? _draining;
    private bool _hasStarted;

    /// <summary>Drains the engine; a second call waits for the first.</summary>
    /// <param name="budget">Time for it, if this is the first call.</param>
    /// <param name="hurry">Cancelled to end uploads now, if this is the first call.</param>
    /// <returns>Events that neither storage nor the disk took.</returns>
    internal Task<long> RunAsync(TimeSpan budget, CancellationToken hurry)
    {
        lock (_gate)
        {
            return _draining ??= _hasStarted ? engine.DrainAsync(budget, hurry) : Task.FromResult(0L);
        }
    }

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(Engine), ServiceLifecycleStage.RuntimeInitialize, _ =>
        {
            lock (_gate)
            {
                if (_draining is not null)
                {
                    throw new OperationCanceledException("this silo ends before it has begun");
                }

                _hasStarted = true;
                engine.Start();
            }

            return Task.CompletedTask;
        });
        observer.Subscribe(nameof(EngineDrain), ServiceLifecycleStage.Last, static _ => Task.CompletedTask, stop => RunAsync(limit, stop));
    }
}
