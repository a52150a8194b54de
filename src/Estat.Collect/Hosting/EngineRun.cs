// An engine's start and its drain: once each, whoever asks for them first.
namespace Estat.Collect.Hosting;

/// <summary>Safe for concurrent use.</summary>
/// <param name="engine">Not started; stays its owner's to dispose of.</param>
public sealed class EngineRun(Engine engine)
{
    private readonly Lock _gate = new();
    private Task<long>? _draining;
    private bool _hasStarted;

    /// <summary>Starts the engine; a second call does nothing.</summary>
    /// <exception cref="OperationCanceledException">It was drained before it had begun.</exception>
    public void Start()
    {
        lock (_gate)
        {
            if (_draining is not null)
            {
                throw new OperationCanceledException("this node ends before it has begun");
            }

            if (!_hasStarted)
            {
                _hasStarted = true;
                engine.Start();
            }
        }
    }

    /// <summary>Drains the engine; a second call waits for the first.</summary>
    /// <param name="budget">Time for it, if this is the first call.</param>
    /// <param name="hurry">Cancelled to end uploads now, if this is the first call.</param>
    /// <returns>Events that neither storage nor the disk took; 0 of an engine that was not started.</returns>
    public Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        lock (_gate)
        {
            return _draining ??= _hasStarted ? engine.DrainAsync(budget, hurry) : Task.FromResult(0L);
        }
    }
}
