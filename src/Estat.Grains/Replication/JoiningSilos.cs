// What a silo that joins has to have in common with those that are there, and both sides' line when it has not.
using System.Globalization;
using Estat.Grains.Hosting;

namespace Estat.Grains.Replication;

/// <summary>
/// A silo with the same CLUSTER_ID but another store or prefix would lay its part of the events elsewhere, and nobody would know; one whose clock is
/// far off would lay them under another day's keys. Both sides judge by the same rules.
/// </summary>
/// <param name="name">This silo's name, for the others' logs.</param>
/// <param name="settings">This silo's.</param>
/// <param name="time">Its clock.</param>
/// <param name="logger">Where a silo that was refused is told.</param>
public sealed partial class JoiningSilos(string name, AgreedSettings settings, TimeProvider time, ILogger<JoiningSilos> logger)
{
    /// <summary>S3 takes requests of a clock that is a quarter of an hour off; keys name the hour.</summary>
    private static readonly TimeSpan MostApart = TimeSpan.FromMinutes(5);

    /// <summary>What this silo says of itself.</summary>
    public WireSettings Own => new(name, [.. settings.Lines], time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>In what another silo differs so that the two cannot be of one cluster; null if in nothing.</summary>
    public string? DifferenceFrom(IReadOnlyList<string>? others) => others is null ? null : settings.DifferenceFrom(AgreedSettings.Parse(others));

    /// <summary>How far another silo's clock is off; null if it is near enough.</summary>
    public string? ClockDifferenceFrom(WireSettings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        DateTimeOffset theirs = DateTimeOffset.FromUnixTimeMilliseconds(other.UnixMs), here = time.GetUtcNow();
        return (theirs - here).Duration() > MostApart
            ? string.Create(
                CultureInfo.InvariantCulture, $"the clock reads {here:yyyy-MM-dd HH:mm:ss} UTC here and {theirs:yyyy-MM-dd HH:mm:ss} UTC there")
            : null;
    }

    /// <summary>Tells of a silo that joins and must not; it finds out the same by itself.</summary>
    internal void Judge(WireSettings other)
    {
        if (DifferenceFrom(other.Settings) is { } settingsDiffer)
        {
            LogWritesElsewhere(logger, other.Silo, settingsDiffer);
        }
        else if (ClockDifferenceFrom(other) is { } clocksDiffer)
        {
            LogClockOff(logger, other.Silo, clocksDiffer);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Silo {Silo} was refused: {Difference}. Silos of one CLUSTER_ID must have the same value. Give that silo the same, or another "
            + "CLUSTER_ID")]
    private static partial void LogWritesElsewhere(ILogger logger, string silo, string difference);

    [LoggerMessage(Level = LogLevel.Error, Message = "Silo {Silo} was refused: {Difference}. Set the clock that is wrong")]
    private static partial void LogClockOff(ILogger logger, string silo, string difference);
}
