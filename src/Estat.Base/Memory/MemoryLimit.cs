// How much memory this process may use, as its container says.
using System.Globalization;
using Estat.Base.Threading;

namespace Estat.Base.Memory;

/// <summary>What the kernel ends the process at: the least of its control groups' limits, of either version. Not what the runtime takes of it (three
/// quarters).</summary>
internal static class MemoryLimit
{
    private const string Groups = "/proc/self/cgroup";
    private const string Mount = "/sys/fs/cgroup";
    private const string Machine = "/proc/meminfo";

    /// <summary>Bytes; the machine's memory where nothing less is said.</summary>
    internal static long Bytes() => Bytes(Groups, Mount, Machine);

    /// <summary>The same of other files, for tests.</summary>
    internal static long Bytes(string groups, string mount, string machine)
    {
        long all = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        try
        {
            string? total = File.ReadLines(machine).FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
            all = total is null ? all : 1024 * long.Parse(total.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            return Math.Min(all, File.ReadLines(groups).Select(line => LimitOf(line, mount)).OfType<long>().Append(all).Min());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return all;
        }
    }

    private static long? LimitOf(string line, string mount) => line.Split(':', 3) switch
    {
        ["0", "", var path] => CpuQuota.Upwards(mount, path).Min(folder => Of(CpuQuota.Read(folder, "memory.max"))),
        [_, var controllers, var path] when controllers.Split(',').Contains("memory") =>
            CpuQuota.Upwards(mount + "/memory", path).Min(folder => Of(CpuQuota.Read(folder, "memory.limit_in_bytes"))),
        _ => null,
    };

    // "max" is none; version 1 says a number beyond all memory instead.
    private static long? Of(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : null;
}
