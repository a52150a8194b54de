// Whether this machine's clock fits the membership table, before the silo joins: Orleans goes by clocks, and would end the silo for it without saying
// why.
using System.Globalization;
using Estat.Base.Options;

namespace Estat.Silo.Clustering;

/// <summary>
/// Of two starts at an address the later one, by their clocks, is the silo for Orleans; and one whose signs of life are old is declared dead. A clock
/// that is ahead shows when the silo compares itself with the members (<see cref="JoinCheck"/>): their rows only look old to it.
/// </summary>
internal static class TableClock
{
    private const string Format = "yyyy-MM-dd HH:mm:ss";
    private static readonly TimeSpan MostAhead = TimeSpan.FromMinutes(5);

    /// <summary>Looks at the rows of the table.</summary>
    /// <exception cref="OptionException">A silo that has not been declared dead was started at this address later than this one, or has shown a sign
    /// of life after now.</exception>
    internal static void Check(IEnumerable<MembershipEntry> rows, SiloAddress self, DateTimeOffset now)
    {
        MembershipEntry[] living = [.. rows.Where(row => row.Status != SiloStatus.Dead)];
        MembershipEntry? last = living.Where(row => row.SiloAddress.Endpoint.Equals(self.Endpoint)).MaxBy(row => row.SiloAddress.Generation);
        if (last is not null && last.SiloAddress.Generation > self.Generation)
        {
            throw Behind(now, $"the silo at {self.Endpoint} was started at {Text(last.StartTime)} before");
        }

        if (living.MaxBy(row => row.IAmAliveTime) is { } latest && latest.IAmAliveTime > now.UtcDateTime + MostAhead)
        {
            throw Behind(now, $"silo {latest.SiloName} has shown a sign of life at {Text(latest.IAmAliveTime)}");
        }
    }

    private static OptionException Behind(DateTimeOffset now, string row) => new(
        $"this machine's clock reads {Text(now.UtcDateTime)}, but {row}, as the membership table has it: one of the clocks is wrong. Set "
            + "it (NTP) and start this silo again.");

    private static string Text(DateTime moment) => moment.ToString(Format, CultureInfo.InvariantCulture) + " UTC";
}
