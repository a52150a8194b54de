// POST /collect at disk on the standalone server, on a cluster's node that is gateway and silo in one process, and on a gateway before a silo; and at
// replica on a node whose events another silo keeps as well.
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Clustering;

internal sealed class ClusterPart : ISuitePart
{
    private const int Connections = 64;
    private const string PercentOfStandalone = "percent_of_standalone";
    private const string CpuBeyondStandalone = "cpu_us_beyond_standalone";
    private static readonly IReadOnlyList<Column> Columns =
    [
        .. ServerColumns.WithoutFloor,
        new(PercentOfStandalone, "% of standalone", 1),
        new(CpuBeyondStandalone, "µs beyond", 2),
    ];

    public string Name => "cluster";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        string title = $"POST /collect at disk and replica, {Connections} connections, a cluster's forms on this machine; CPU of all processes";
        try
        {
            Repository.Assembly("Estat.Silo");
        }
        catch (FileNotFoundException missing)
        {
            return [Section.Skipped(Name, title, missing.Message)];
        }

        context.Say($"{Name}: starting the nodes");
        var load = new Wrk(context.PageViews, Connections);
        await using var nodes = new NodeSet();
        Contender[] contenders =
        [
            Add("standalone", await EstatNode.StandaloneAsync(context.FolderOf("cluster-standalone"))),
            Add("gateway and silo in one process", await EstatNode.CohostedAsync(context.FolderOf("cluster-cohosted"))),
            Add("a gateway before a silo", await EstatNode.SplitAsync(context.FolderOf("cluster-split"))),
            Add("replica, over two silos", await EstatNode.ReplicatedAsync(context.FolderOf("cluster-replica"))),
        ];
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        foreach (Row row in rows.Skip(1))
        {
            row.Medians[PercentOfStandalone] = 100 * row.Medians[Metric.EventsPerSecond] / rows[0].Medians[Metric.EventsPerSecond];
            row.Medians[CpuBeyondStandalone] = row.Medians[Metric.CpuMicros] - rows[0].Medians[Metric.CpuMicros];
        }

        return [new Section(Name, title, Columns, rows, [])];

        Contender Add(string name, INode node) => Contender.Of(name, nodes.Add(node), load, context.Options.Turn);
    }
}
