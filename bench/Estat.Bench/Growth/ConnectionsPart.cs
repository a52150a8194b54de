// The same load over more and more connections, beside the floor.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Growth;

internal sealed class ConnectionsPart : ISuitePart
{
    private const int OtherFiles = 200; // beside a server's connections
    private static readonly int[] Counts = [100, 1_000, 10_000];

    public string Name => GrowthParts.Prefix + "connections";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        INode bare = nodes.Add(await BenchNode.BareAsync(context.Options.Sockets));
        INode disk = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("growth-connections"), context.Options.Sockets.Settings()));
        long files = MostOpenFiles();
        int[] possible = [.. Counts.Where(count => count + OtherFiles <= files)];
        IReadOnlyList<Row> rows = await Contender.CompareAsync(
            Name,
            [.. possible.SelectMany(count => new[] { Of("bare", bare, count), Of("disk", disk, count) })],
            context.Options.Rounds,
            context);
        for (int at = 1; at < rows.Count; at += 2)
        {
            rows[at].CompareWithFloor(rows[at - 1]);
        }

        string[] notes = possible.Length == Counts.Length ? [] : [$"more than {possible.LastOrDefault()} were skipped: ulimit -Hn is {files}"];
        return [new Section(Name, "POST /collect over so many connections", ServerColumns.WithLost, rows, notes)];

        Contender Of(string name, INode node, int count) => Contender.Of(
            string.Create(CultureInfo.InvariantCulture, $"{name}, {count:N0} connections"), node, new Wrk(context.PageViews, count),
            context.Options.Turn);
    }

    private static long MostOpenFiles() => long.Parse(
        File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[4],
        CultureInfo.InvariantCulture);
}
