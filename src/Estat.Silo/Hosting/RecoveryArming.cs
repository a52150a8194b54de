// Each silo makes sure that its own spool directory has a recovery grain with a reminder.
using Estat.Collect.Hosting;
using Estat.Grains.Recovery;

namespace Estat.Silo.Hosting;

/// <summary>Tries until it has succeeded; nobody waits for it, as reminders are the second chance only.</summary>
internal sealed partial class RecoveryArming(Engine engine, IGrainFactory grains, TimeProvider time, ILogger<RecoveryArming> logger)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private Task _arming = Task.CompletedTask;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(RecoveryArming), ServiceLifecycleStage.Last, _ => Start(), async _ =>
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _arming.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private Task Start()
    {
        _arming = Task.Run(() => ArmAsync(_stop.Token));
        return Task.CompletedTask;
    }

    private async Task ArmAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await grains.GetGrain<IRecoveryGrain>(engine.SpoolId).ArmAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogNotArmed(logger, error.Message);
                await Task.Delay(Between, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reminder of this silo's recovery grain is not there yet: {Reason}")]
    private static partial void LogNotArmed(ILogger logger, string reason);
}
