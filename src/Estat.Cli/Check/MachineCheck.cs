// What the machine, or its container, gives the process.
using System.Globalization;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Base.Threading;
using Estat.Cli.Frame;
using Estat.Collect.Http;
using Estat.Http.Listening;

namespace Estat.Cli.Check;

/// <summary>Open files, CPUs and memory, against what the options need.</summary>
internal static class MachineCheck
{
    // Runtime, code and heaps of a server that idles, and of one under load (docs/performance.md).
    private const long Base = 110L << 20;

    internal static IEnumerable<Finding> Find(EstatOptions options)
    {
        OpenFiles files = OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys));
        if (files.Limit is { } limit)
        {
            long needed = options.Http.MaxConnections + files.Reserve;
            yield return limit < needed
                ? Finding.Warning(
                    "open files",
                    $"{Words.Count(limit)} at most; MAX_CONNECTIONS={options.Http.MaxConnections} needs {Words.Count(needed)} and would be lowered "
                        + $"to {files.Connections}",
                    $"raise it (ulimit -n {needed}, LimitNOFILE=) or lower MAX_CONNECTIONS")
                : Finding.Good("open files", $"{Words.Count(limit)} at most");
        }

        double cpus = CpuQuota.Cpus();
        yield return cpus < 0.25
            ? Finding.Warning("cpu", $"{cpus.ToString("0.##", CultureInfo.InvariantCulture)} CPUs",
                "give it at least a quarter of a CPU: with less, syncs and health checks wait for each other")
            : Finding.Good("cpu", $"{cpus.ToString("0.##", CultureInfo.InvariantCulture)} CPU{(cpus == 1 ? "" : "s")}");
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        // The runtime keeps a quarter of a container's memory for what is not its heap.
        long budget = Base + options.Http.InflightBytes + options.Http.UnreadBytes + options.Collect.ChannelBytes;
        yield return memory < budget
            ? Finding.Warning(
                "memory",
                $"{Words.Bytes(memory)} for the heap; INFLIGHT_BYTES, UNREAD_BYTES, CHANNEL_BYTES and the server itself "
                    + $"may need {Words.Bytes(budget)}",
                "give the container more, or lower INFLIGHT_BYTES (docs/small-containers.md)")
            : Finding.Good("memory", $"{Words.Bytes(memory)} for the heap");
        if (options.Http.AdminToken is null && ListenAddress.TryParse(options.Http.HttpAddr, out ListenAddress address)
            && (address.Address is null || !System.Net.IPAddress.IsLoopback(address.Address)))
        {
            yield return Finding.Good("admin", "no ADMIN_TOKEN: /console, /tail and /admin are open only to this machine");
        }
    }
}
