// What a process says of itself: since when it runs, and what it may use.
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Estat.Base.Memory;
using Estat.Base.Threading;

namespace Estat.Base.Metrics;

/// <summary>One process has these once.</summary>
internal static class ProcessInstruments
{
    /// <summary>Adds them.</summary>
    internal static void Observe(Meter meter)
    {
        using var self = Process.GetCurrentProcess();
        double started = new DateTimeOffset(self.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        double cpus = CpuQuota.Cpus();
        long memory = MemoryLimit.Bytes();
        meter.CreateObservableGauge("process_start_time_seconds", () => started, description: "When the process started, in seconds since 1970");
        meter.CreateObservableGauge(
            "estat_cpu_limit", () => cpus, description: "CPUs that the process may use: its container's limit, or the machine's");
        meter.CreateObservableGauge(
            "estat_memory_limit_bytes", () => memory, description: "Memory that the process may use: its container's limit, or the machine's");
    }
}
