// One turn: a load on a node, and what it cost.
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;

namespace Estat.Bench.Load;

internal static class Turn
{
    /// <summary>
    /// Loads a node for a while. Cost is counted until the node has settled: what it does after the last answer, such as compressing what it took, is
    /// of these events, too.
    /// </summary>
    internal static async Task<Dictionary<string, double>> RunAsync(INode node, Wrk load, TimeSpan duration)
    {
        TimeSpan cpu = node.CpuTime;
        double? allocated = await node.AllocatedBytesAsync();
        WrkResult result = await load.RunAsync(node.Address, duration);
        double resident = node.ResidentBytes;
        await node.SettleAsync();
        allocated = await node.AllocatedBytesAsync() - allocated;
        cpu = node.CpuTime - cpu;
        return Reading(result, load, cpu, allocated, resident);
    }

    internal static Dictionary<string, double> Reading(WrkResult result, Wrk load, TimeSpan cpu, double? allocated, double resident)
    {
        double events = Math.Max(1, result.Taken * load.Requests.EventsPerRequest);
        var reading = new Dictionary<string, double>
        {
            [Metric.EventsPerSecond] = result.Taken * load.Requests.EventsPerRequest / result.Duration.TotalSeconds,
            [Metric.Acknowledged] = result.Taken * load.Requests.EventsPerRequest,
            [Metric.CpuMicros] = cpu.TotalMicroseconds / events,
            [Metric.P50] = result.P50.TotalMilliseconds,
            [Metric.P99] = result.P99.TotalMilliseconds,
            [Metric.P999] = result.P999.TotalMilliseconds,
            [Metric.Resident] = resident / Metric.Megabyte,
            [Metric.Refused] = result.Refused,
            [Metric.Lost] = result.Lost,
            [Metric.WrkCpuMicros] = result.Cpu.TotalMicroseconds / Math.Max(1, result.Answered),
        };
        if (allocated is { } bytes)
        {
            reading[Metric.AllocatedBytes] = bytes / events;
        }

        return reading;
    }
}
