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

    /// <summary>Removes its reminder, at the order of an operator who knows that the spool never comes back. A silo that mounts it makes the
    /// reminder again.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="InvalidOperationException">The silo that it runs on has that spool.</exception>
    [Alias("forget")]
    Task<bool> ForgetAsync();
}
