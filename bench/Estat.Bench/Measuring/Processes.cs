// What Linux says of processes.
using System.Globalization;

namespace Estat.Bench.Measuring;

internal static class Processes
{
    private const double TicksPerSecond = 100; // USER_HZ
    private const int UserTime = 11; // the fields of stat, counted from the one after the name
    private const int SystemTime = 12;
    private const int ChildrenUserTime = 13;
    private const int ChildrenSystemTime = 14;

    /// <summary>Processor time, user and system, since the process's start.</summary>
    internal static TimeSpan CpuTime(int process) => Sum($"/proc/{process}/stat", UserTime, SystemTime);

    /// <summary>Processor time of all children of this process that have ended.</summary>
    internal static TimeSpan CpuTimeOfEndedChildren() => Sum("/proc/self/stat", ChildrenUserTime, ChildrenSystemTime);

    /// <summary>Memory that the process occupies (VmRSS).</summary>
    internal static long ResidentBytes(int process) =>
        1024 * long.Parse(
            File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ')[^2],
            CultureInfo.InvariantCulture);

    // The name is the second field, stands in parentheses and may hold anything.
    private static TimeSpan Sum(string path, int user, int system)
    {
        string stat = File.ReadAllText(path);
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds(
            (long.Parse(fields[user], CultureInfo.InvariantCulture) + long.Parse(fields[system], CultureInfo.InvariantCulture)) / TicksPerSecond);
    }
}
