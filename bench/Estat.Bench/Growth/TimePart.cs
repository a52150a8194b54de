// The same load for long: what grows, and how fast.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Growth;

/// <summary>A turn a minute, and the slope of each figure over all minutes but the first, in which a server warms up.</summary>
internal sealed class TimePart : ISuitePart
{
    private const int Connections = 64;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public string Name => GrowthParts.Prefix + "time";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        int minutes = context.Options.Minutes;
        var load = new Wrk(context.PageViews, Connections);
        await using EstatNode node = await EstatNode.StandaloneAsync(context.FolderOf("growth-time"), context.Options.Sockets.Settings());
        var rows = new List<Row>();
        for (int minute = 1; minute <= minutes; minute++)
        {
            Dictionary<string, double> reading = await Turn.RunAsync(node, load, Minute);
            rows.Add(Row.Of(string.Create(CultureInfo.InvariantCulture, $"minute {minute}"), [reading]));
            string seen = string.Create(
                CultureInfo.InvariantCulture,
                $"{reading[Metric.EventsPerSecond]:N0} events/s, p99 {reading[Metric.P99]:0.00} ms, {reading[Metric.Resident]:0.0} MB resident");
            context.Say($"{Name}, minute {minute} of {minutes}: {seen}");
        }

        List<Row> warm = rows[Math.Min(1, rows.Count - 1)..];
        string[] notes = ["the first minute is not in the slope"];
        rows.Add(Row.Of(
            "slope, per hour",
            [ServerColumns.WithoutFloor.ToDictionary(
                column => column.Key, column => 60 * SlopePerRow([.. warm.Select(row => row.Medians[column.Key])]))]));
        return [new Section(Name, $"POST /collect at disk, {Connections} connections, {minutes} minutes", ServerColumns.WithoutFloor, rows, notes)];
    }

    /// <summary>By least squares; 0 for a single value.</summary>
    private static double SlopePerRow(double[] values)
    {
        double middle = (values.Length - 1) / 2.0;
        double mean = values.Average();
        double spread = values.Select((_, at) => (at - middle) * (at - middle)).Sum();
        return spread == 0 ? 0 : values.Select((value, at) => (at - middle) * (value - mean)).Sum() / spread;
    }
}
