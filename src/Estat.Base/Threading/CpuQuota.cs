// How much of the machine's CPUs this process may use, as its container says.
using System.Globalization;

namespace Estat.Base.Threading;

/// <summary>
/// The runtime counts CPUs in whole ones: it takes a quarter of one for one. What the kernel allows stands in the control group, of either version.
/// </summary>
internal static class CpuQuota
{
    private const string Groups = "/proc/self/cgroup";
    private const string Mount = "/sys/fs/cgroup";

    /// <summary>CPUs, such as 0.25; as many as the runtime counts where nothing less is said.</summary>
    internal static double Cpus() => Cpus(Groups, Mount, Environment.ProcessorCount);

    /// <summary>The same of other files, for tests.</summary>
    internal static double Cpus(string groups, string mount, int counted)
    {
        try
        {
            return Math.Min(counted, File.ReadLines(groups).Select(line => QuotaOf(line, mount)).OfType<double>().Append(counted).Min());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return counted;
        }
    }

    // A line is hierarchy:controllers:path; version 2 has the one without controllers. A group may use no more than those above it; in a container
    // the group itself is usually mounted as the root.
    private static double? QuotaOf(string line, string mount) => line.Split(':', 3) switch
    {
        ["0", "", var path] => Upwards(mount, path).Min(folder => Of(Read(folder, "cpu.max"))),
        [_, var controllers, var path] when controllers.Split(',').Contains("cpu") =>
            Upwards(mount + "/cpu", path).Min(folder => Of(ReadPair(folder))),
        _ => null,
    };

    /// <summary>A group's folder, and those above it.</summary>
    internal static IEnumerable<string> Upwards(string root, string path)
    {
        for (string group = path.TrimEnd('/'); group.Length > 0; group = group[..group.LastIndexOf('/')])
        {
            yield return root + group;
        }

        yield return root;
    }

    private static string? ReadPair(string folder) =>
        Read(folder, "cpu.cfs_quota_us") is { } quota && Read(folder, "cpu.cfs_period_us") is { } period ? $"{quota} {period}" : null;

    /// <summary>A file of a group; null when it is not there.</summary>
    internal static string? Read(string folder, string name)
    {
        string file = Path.Combine(folder, name);
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    // "25000 100000"; a quota of "max" or -1 is none.
    private static double? Of(string? text) =>
        text?.Split(' ') is [var quota, var period]
        && long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out long allowed) && allowed > 0
        && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out long of) && of > 0
            ? (double)allowed / of
            : null;
}
