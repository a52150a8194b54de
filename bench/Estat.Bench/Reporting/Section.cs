// What was measured, as it is printed and as it stands in bench.json.
using Estat.Bench.Measuring;

namespace Estat.Bench.Reporting;

/// <summary>One column of a table.</summary>
/// <param name="Key">The metric.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Decimals">After the point.</param>
internal sealed record Column(string Key, string Title, int Decimals);

/// <summary>What one thing was measured at: every round, and the median of each metric over them.</summary>
internal sealed record Row(string Name, Dictionary<string, double> Medians, IReadOnlyList<Dictionary<string, double>> Rounds)
{
    internal static Row Of(string name, IReadOnlyList<Dictionary<string, double>> rounds) => new(
        name,
        rounds.SelectMany(round => round.Keys).Distinct().ToDictionary(
            key => key,
            key => Median([.. rounds.Where(round => round.ContainsKey(key)).Select(round => round[key])])),
        rounds);

    /// <summary>Adds to the medians what part of the floor's rate it reaches, and what it costs beyond the floor.</summary>
    internal void CompareWithFloor(Row floor)
    {
        Medians[Metric.PercentOfBare] = 100 * Medians[Metric.EventsPerSecond] / floor.Medians[Metric.EventsPerSecond];
        Medians[Metric.CpuBeyondBare] = Medians[Metric.CpuMicros] - floor.Medians[Metric.CpuMicros];
    }

    /// <summary>The columns' metrics alone.</summary>
    internal Row Only(IReadOnlyList<Column> columns) => Filter(key => columns.Any(column => column.Key == key));

    /// <summary>All but the columns' metrics, which stand in another table.</summary>
    internal Row Without(IReadOnlyList<Column> columns) => Filter(key => columns.All(column => column.Key != key));

    /// <summary>The value in the middle; of the two there, the mean.</summary>
    internal static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private Row Filter(Func<string, bool> takes)
    {
        Dictionary<string, double> Some(Dictionary<string, double> all) => all.Where(pair => takes(pair.Key)).ToDictionary();
        return new Row(Name, Some(Medians), [.. Rounds.Select(Some)]);
    }
}

/// <summary>Rows that stand together.</summary>
/// <param name="Part">The part of the suite that measured it.</param>
/// <param name="Title">What was done.</param>
/// <param name="Columns">What is printed; rows may hold more.</param>
/// <param name="Rows">None if it was skipped.</param>
/// <param name="Notes">What a reader has to know; why it was skipped.</param>
internal sealed record Section(string Part, string Title, IReadOnlyList<Column> Columns, IReadOnlyList<Row> Rows, IReadOnlyList<string> Notes)
{
    /// <summary>UTC.</summary>
    public DateTime Measured { get; init; } = DateTime.UtcNow;

    internal static Section Skipped(string part, string title, string reason) => new(part, title, [], [], [$"skipped: {reason}"]);
}
