// POST /collect, one event a request, beside the floor: Kestrel that reads the body and answers 200.
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>All servers run from the start, and one at a time is loaded: an idle one costs next to nothing.</summary>
internal sealed class CollectPart : ISuitePart
{
    private const int Connections = 64;
    private const string Ceiling = "wrk alone";

    public string Name => "collect";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        var load = new Wrk(context.PageViews, Connections);
        await using var nodes = new NodeSet();
        var contenders = new List<Contender> { Add(Ceiling, await BenchNode.CeilingAsync()) };
        var floors = new Dictionary<string, string>();
        foreach (SocketMode sockets in Enum.GetValues<SocketMode>())
        {
            contenders.Add(Add(Bare(sockets), await BenchNode.BareAsync(sockets)));
        }

        foreach (string level in new[] { "memory", "disk" })
        {
            foreach (SocketMode sockets in Enum.GetValues<SocketMode>())
            {
                string name = $"{level}, {sockets.Text()}";
                floors[name] = Bare(sockets);
                contenders.Add(Add(name, await StandaloneAsync(name, ("ACK", level), (SocketModes.Option, sockets.Text()))));
            }
        }

        contenders.Add(Add("stored", await StandaloneAsync("stored", ("ACK", "stored"))));
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        foreach (Row row in rows)
        {
            if (floors.TryGetValue(row.Name, out string? floor))
            {
                Compare(row, rows.First(other => other.Name == floor));
            }
        }

        return [new Section(Name, $"POST /collect, {Connections} connections", ServerColumns.All, rows, [])];

        Contender Add(string name, INode node) => Contender.Of(name, nodes.Add(node), load, context.Options.Turn);

        async Task<INode> StandaloneAsync(string name, params (string Name, string Value)[] options)
        {
            context.Say($"{Name}: starting {name}");
            return await EstatNode.StandaloneAsync(context.FolderOf("collect-" + name), options);
        }
    }

    private static string Bare(SocketMode sockets) => $"bare Kestrel, {sockets.Text()}";

    private static void Compare(Row row, Row floor)
    {
        row.Medians[Metric.PercentOfBare] = 100 * row.Medians[Metric.EventsPerSecond] / floor.Medians[Metric.EventsPerSecond];
        row.Medians[Metric.CpuBeyondBare] = row.Medians[Metric.CpuMicros] - floor.Medians[Metric.CpuMicros];
    }
}
