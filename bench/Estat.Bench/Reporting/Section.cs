// What was measured, as it is printed and as it stands in bench.json.
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

    /// <summary>The value in the middle; of the two there, the mean.</summary>
    internal static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
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
