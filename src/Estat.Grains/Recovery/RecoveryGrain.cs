// The shell around the engine's recovery; each silo recovers its own directory at start, this comes after.
using Estat.Collect.Hosting;
using Estat.Grains.Hosting;

namespace Estat.Grains.Recovery;

/// <summary>Placed by <see cref="SpoolPlacementDirector"/>. Where it finds itself away from its directory it goes idle, so that the next tick is
/// placed afresh.</summary>
[SpoolPlacement, GrainType(TypeName)]
internal sealed partial class RecoveryGrain(Engine engine, ClusterInstruments instruments, ILogger<RecoveryGrain> logger) : Grain, IRecoveryGrain,
    IRemindable
{
    /// <summary>What its kind is called in the table of reminders.</summary>
    internal const string TypeName = "recovery";

    private const string ReminderName = "recover";

    // Reminders have a floor of a minute, and this is a second chance: the engine's own loops retry within seconds.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task ArmAsync()
    {
        if (engine.SpoolId != this.GetPrimaryKeyString())
        {
            DeactivateOnIdle(); // it may be from before another silo mounted it
            throw new ArgumentException("this silo does not have that spool: only the silo that has it makes its reminder");
        }

        if (await this.GetReminder(ReminderName) is null)
        {
            await this.RegisterOrUpdateReminder(ReminderName, Period, Period);
        }
    }

    /// <inheritdoc/>
    public async Task<bool> ForgetAsync()
    {
        if (engine.SpoolId == this.GetPrimaryKeyString())
        {
            throw new InvalidOperationException("this silo has that spool: its reminder stays");
        }

        DeactivateOnIdle();
        if (await this.GetReminder(ReminderName) is not { } reminder)
        {
            return false;
        }

        await this.UnregisterReminder(reminder);
        return true;
    }

    /// <inheritdoc/>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        string spool = this.GetPrimaryKeyString();
        if (engine.SpoolId != spool)
        {
            instruments.OnTickSkipped();
            LogNotMounted(logger, spool);
            DeactivateOnIdle();
            return;
        }

        instruments.OnTick();
        await engine.RecoverAsync();
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No silo has mounted the spool {Spool}. Its batches wait until a silo mounts it. If its disk never comes back, remove its "
            + "reminder: estat spools forget {Spool}")]
    private static partial void LogNotMounted(ILogger logger, string spool);
}
