// The second chance of what waits in a spool directory.
namespace Estat.Grains.Recovery;

/// <summary>
/// Key: the spool's id. It lives on the silo that has that directory mounted, whatever the silo's name is; while nobody has, its ticks are skipped
/// and counted.
/// </summary>
[Alias("estat.IRecoveryGrain")]
public interface IRecoveryGrain : IGrainWithStringKey
{
    /// <summary>Makes sure that its reminder is there. Called by each silo for its own directory when it starts.</summary>
    [Alias("arm")]
    Task ArmAsync();

    /// <summary>What the reminder does, at once.</summary>
    [Alias("tick")]
    Task<RecoveryTick> TickAsync();
}

/// <summary>What a tick came to.</summary>
/// <param name="Instance">The instance that it ran at; null when no silo has the directory, so that it was skipped.</param>
/// <param name="Fault">Why storage does not answer; null when it does.</param>
[GenerateSerializer, Immutable, Alias("estat.recovery-tick")]
public sealed record RecoveryTick([property: Id(0)] string? Instance, [property: Id(1)] string? Fault);
