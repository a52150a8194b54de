// Each silo makes sure that its own spool directory has a recovery grain with a reminder.
using Estat.Api.Options;
using Estat.Collect.Hosting;
using Estat.Grains.Recovery;
using Estat.Silo.Clustering;

namespace Estat.Silo.Hosting;

/// <summary>
/// Tries until it has succeeded, and looks again from time to time: somebody may empty the reminders' table. Nobody waits for it, as reminders are
/// the second chance only.
/// </summary>
internal sealed partial class SpoolReminderArming(
    Engine engine, IGrainFactory grains, EstatOptions options, TimeProvider time, ILogger<SpoolReminderArming> logger)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private const int RefreshesBetweenLooks = 10;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private Task _arming = Task.CompletedTask;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(SpoolReminderArming), ServiceLifecycleStage.Last, _ => Start(), async _ =>
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
        TimeSpan betweenLooks = RefreshesBetweenLooks * ClusterSetup.RefreshOf(options.Cluster.MembershipProbe);
        bool isTold = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            bool isArmed = true;
            try
            {
                await grains.GetGrain<IRecoveryGrain>(engine.SpoolId).ArmAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                isArmed = false;
                if (!isTold)
                {
                    LogNotArmed(logger, error.Message);
                }
            }

            isTold = !isArmed;
            await Task.Delay(isArmed ? betweenLooks : BetweenTries, time, cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not set the reminder of this silo's recovery grain: {Reason}. The silo tries again")]
    private static partial void LogNotArmed(ILogger logger, string reason);
}
