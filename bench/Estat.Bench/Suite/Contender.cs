// Things to compare, in turns: what disturbs the machine for a while disturbs all of them.
using System.Globalization;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;

namespace Estat.Bench.Suite;

/// <summary>One of them.</summary>
/// <param name="Name">Its row.</param>
/// <param name="Turn">Measures it once.</param>
internal sealed record Contender(string Name, Func<Task<Dictionary<string, double>>> Turn)
{
    /// <summary>A server under load.</summary>
    internal static Contender Of(string name, INode node, Wrk load, TimeSpan duration) => new(name, () => Load.Turn.RunAsync(node, load, duration));

    /// <summary>Warms each up with a turn that does not count, then measures all, round after round, each round beginning with another.</summary>
    internal static async Task<IReadOnlyList<Row>> CompareAsync(
        string part, IReadOnlyList<Contender> contenders, int rounds, SuiteContext context, bool warmUp = true)
    {
        if (warmUp)
        {
            foreach (Contender contender in contenders)
            {
                context.Say($"{part}: warming up {contender.Name}");
                await contender.Turn();
            }
        }

        var readings = contenders.ToDictionary(contender => contender.Name, _ => new List<Dictionary<string, double>>());
        for (int round = 0; round < rounds; round++)
        {
            for (int at = 0; at < contenders.Count; at++)
            {
                Contender contender = contenders[(at + round) % contenders.Count];
                Dictionary<string, double> reading = await contender.Turn();
                readings[contender.Name].Add(reading);
                context.Say($"{part}, round {round + 1} of {rounds}: {contender.Name}: {Describe(reading)}");
            }
        }

        return [.. contenders.Select(contender => Row.Of(contender.Name, readings[contender.Name]))];
    }

    private static string Describe(Dictionary<string, double> reading) =>
        reading.TryGetValue(Metric.EventsPerSecond, out double events) && reading.TryGetValue(Metric.CpuMicros, out double cpu)
            ? string.Create(CultureInfo.InvariantCulture, $"{events:N0} events/s, {cpu:0.00} µs CPU an event")
                + Unless0(reading, Metric.Refused, "refused") + Unless0(reading, Metric.Lost, "broken, or slower than 2 s")
            : string.Join(", ", reading.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:0.##}")));

    private static string Unless0(Dictionary<string, double> reading, string key, string what) =>
        reading.GetValueOrDefault(key) is var count and > 0 ? string.Create(CultureInfo.InvariantCulture, $", {count:N0} {what}") : "";
}
