// POST /collect, one event a request, beside the floor: Kestrel that reads the body and answers 200.
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>All servers run from the start, and one at a time is loaded: an idle one costs next to nothing.</summary>
internal sealed class CollectPart : ISuitePart
{
    internal const string Ceiling = "wrk alone";
    internal const string Stored = "stored";
    private const string FastestGzip = "memory, inline, GZIP_LEVEL=1";
    private const int Connections = 64;

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
                contenders.Add(Add(name, await StandaloneAsync(name, [("ACK", level), .. sockets.Settings()])));
            }
        }

        foreach (string level in new[] { "memory", "disk" })
        {
            string name = $"{level}, inline, without the door";
            floors[name] = Bare(SocketMode.Inline);
            contenders.Add(Add(
                name, await StandaloneAsync(name, [("ACK", level), ("HTTP_FAST_DOOR", "false"), .. SocketMode.Inline.Settings()])));
        }

        floors[FastestGzip] = Bare(SocketMode.Inline);
        contenders.Add(Add(FastestGzip,
            await StandaloneAsync(FastestGzip, [("ACK", "memory"), ("GZIP_LEVEL", "1"), .. SocketMode.Inline.Settings()])));

        contenders.Add(Add(Stored, await StandaloneAsync(Stored, ("ACK", "stored"))));
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        foreach (Row row in rows)
        {
            if (floors.TryGetValue(row.Name, out string? floor))
            {
                row.CompareWithFloor(rows.First(other => other.Name == floor));
            }
        }

        string title = $"POST /collect, {Connections} connections";
        return [new Section(Name, title, ServerColumns.All, rows, ["at stored every connection waits for its batch: STORED_MAX_WAIT, 500 ms"])];

        Contender Add(string name, INode node) => Contender.Of(name, nodes.Add(node), load, context.Options.Turn);

        async Task<INode> StandaloneAsync(string name, params (string Name, string Value)[] options)
        {
            context.Say($"{Name}: starting {name}");
            return await EstatNode.StandaloneAsync(context.FolderOf("collect-" + name), options);
        }
    }

    private static string Bare(SocketMode sockets) => $"bare Kestrel, {sockets.Text()}";
}
