// A load, and then the wait until all of it is stored: what a node takes in for good, not what its buffers swallow.
using System.Diagnostics;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;

namespace Estat.Bench.Load;

internal static class SustainedTurn
{
    /// <summary>As <see cref="Turn"/>, and events stored per second over the whole time, with resident memory over the load's.</summary>
    internal static async Task<Dictionary<string, double>> RunAsync(EstatNode node, Wrk load, TimeSpan duration)
    {
        TimeSpan cpu = node.CpuTime;
        double? allocated = await node.AllocatedBytesAsync();
        double stored = await node.EventsAsync("stored");
        long started = Stopwatch.GetTimestamp();
        await using var memory = new MemoryWatch(() => node.ResidentBytes);
        WrkResult result = await load.RunAsync(node.Address, duration);
        IReadOnlyList<double> resident = await memory.StopAsync();
        long loaded = Stopwatch.GetTimestamp();
        await node.UntilAllStoredAsync();
        TimeSpan whole = Stopwatch.GetElapsedTime(started);
        stored = await node.EventsAsync("stored") - stored;
        cpu = node.CpuTime - cpu;
        Dictionary<string, double> reading = Turn.Reading(
            result, load, cpu, await node.AllocatedBytesAsync() - allocated, resident[^1] * Metric.Megabyte);
        reading[Metric.StoredEvents] = stored;
        reading[Metric.StoredPerSecond] = stored / whole.TotalSeconds;
        reading[Metric.SecondsToDrain] = Stopwatch.GetElapsedTime(loaded).TotalSeconds;
        reading[Metric.ResidentAtStart] = resident[0];
        reading[Metric.ResidentMidway] = resident[resident.Count / 2];
        reading[Metric.ResidentAtEnd] = resident[^1];
        reading[Metric.ResidentAtMost] = resident.Max();
        node.DropStored();
        return reading;
    }
}
