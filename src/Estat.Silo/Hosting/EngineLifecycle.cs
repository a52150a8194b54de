// An engine's life inside a silo's.
using Estat.Collect.Hosting;

namespace Estat.Silo.Hosting;

/// <summary>
/// Starts the engine before the silo can be called, and drains it before the silo leaves: its stage is the last one, so its stop is the first. A stop
/// that does not come by a signal, as in a test or from a host that ends itself, so drains as well.
/// </summary>
internal sealed class EngineLifecycle(EngineRun run, TimeSpan limit) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(Engine), ServiceLifecycleStage.RuntimeInitialize, _ =>
        {
            run.Start();
            return Task.CompletedTask;
        });
        observer.Subscribe(nameof(EngineLifecycle), ServiceLifecycleStage.Last, static _ => Task.CompletedTask, stop => run.DrainAsync(limit, stop));
    }
}
