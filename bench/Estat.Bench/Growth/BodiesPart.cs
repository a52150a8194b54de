// The same load with larger and larger bodies, beside the floor.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Growth;

internal sealed class BodiesPart : ISuitePart
{
    private const int Connections = 64;
    private static readonly int[] Sizes = [100, 500, 2_000, 16_000];

    public string Name => GrowthParts.Prefix + "bodies";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        INode bare = nodes.Add(await BenchNode.BareAsync(context.Options.Sockets));
        INode disk = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("growth-bodies"), context.Options.Sockets.Settings()));
        var contenders = new List<Contender>();
        foreach (int size in Sizes)
        {
            var load = new Wrk(RequestFile.OfSize(context.Folder, size), Connections);
            contenders.Add(Of("bare", bare, size, load));
            contenders.Add(Of("disk", disk, size, load));
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        for (int at = 1; at < rows.Count; at += 2)
        {
            rows[at].CompareWithFloor(rows[at - 1]);
        }

        return [new Section(Name, $"POST /collect, {Connections} connections, bodies of so many bytes", ServerColumns.All, rows, [])];

        Contender Of(string name, INode node, int size, Wrk load) =>
            Contender.Of(string.Create(CultureInfo.InvariantCulture, $"{name}, {size:N0} bytes"), node, load, context.Options.Turn);
    }
}
