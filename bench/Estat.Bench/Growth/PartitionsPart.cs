// The same load over more and more partitions.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Growth;

internal sealed class PartitionsPart : ISuitePart
{
    private const int Connections = 64;
    private static readonly int[] Counts = [1, 2, 4, 8, 16];

    public string Name => GrowthParts.Prefix + "partitions";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        var load = new Wrk(context.PageViews, Connections);
        await using var nodes = new NodeSet();
        var contenders = new List<Contender>();
        foreach (int count in Counts)
        {
            string text = count.ToString(CultureInfo.InvariantCulture);
            string folder = context.FolderOf("growth-partitions-" + text);
            INode node = nodes.Add(await EstatNode.StandaloneAsync(folder, [("PARTITIONS", text), .. context.Options.Sockets.Settings()]));
            contenders.Add(Contender.Of($"PARTITIONS={text}", node, load, context.Options.Turn));
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        return [new Section(Name, $"POST /collect at disk, {Connections} connections", ServerColumns.WithoutFloor, rows, [])];
    }
}
