// POST /collect over hundreds of connections, beside what Kestrel does by itself with .NET's defaults.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>At <c>disk</c> a sync serves the more, the more connections there are. <c>growth connections</c> goes on to 10,000.</summary>
internal sealed class ManyConnectionsPart : ISuitePart
{
    private static readonly int[] Counts = [256, 1_000];

    public string Name => "connections";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        context.Say($"{Name}: starting the nodes");
        INode bare = nodes.Add(await BenchNode.BareAsync(SocketMode.Pool));
        INode memory = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("connections-memory"), ("ACK", "memory")));
        INode disk = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("connections-disk")));
        var sections = new List<Section>();
        foreach (int count in Counts)
        {
            var load = new Wrk(context.PageViews, count);
            IReadOnlyList<Row> rows = await Contender.CompareAsync(
                Name, [Of("bare Kestrel, pool", bare), Of("memory", memory), Of("disk", disk)], context.Options.Rounds, context);
            foreach (Row row in rows.Skip(1))
            {
                row.CompareWithFloor(rows[0]);
            }

            sections.Add(new Section(
                Name, string.Create(CultureInfo.InvariantCulture, $"POST /collect, {count:N0} connections"), ServerColumns.WithLost, rows, []));

            Contender Of(string name, INode node) => Contender.Of(name, node, load, context.Options.Turn);
        }

        return sections;
    }
}
