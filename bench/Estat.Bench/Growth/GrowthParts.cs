// What an event costs along one dimension: it must not depend on how many there are of anything.
using Estat.Bench.Suite;

namespace Estat.Bench.Growth;

internal static class GrowthParts
{
    internal const string Prefix = "growth-";
    private static readonly IReadOnlyList<ISuitePart> All = [new ConnectionsPart(), new PartitionsPart(), new BodiesPart(), new TimePart()];

    internal static string Names => string.Join("|", All.Select(part => part.Name[Prefix.Length..]));

    /// <exception cref="FormatException">There is none of that name.</exception>
    internal static ISuitePart Named(string name) =>
        All.FirstOrDefault(part => part.Name == Prefix + name) ?? throw new FormatException($"growth is along {Names}, not '{name}'");
}
