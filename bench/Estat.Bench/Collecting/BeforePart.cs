// POST /collect of this build beside another one: what a change costs.
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>The other build runs twice: how far its two rows are apart is what a difference means nothing below.</summary>
internal sealed class BeforePart : ISuitePart
{
    private const int Connections = 64;
    private static readonly IReadOnlyList<string> Builds = ["now", "before", "before again"];

    public string Name => "before";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        string title = $"POST /collect beside another build, {Connections} connections";
        if (context.Options.Against is not { } other)
        {
            return [Section.Skipped(Name, title, "no other build was named: make bench ONLY=before AGAINST=…/Estat.Api.dll")];
        }

        var load = new Wrk(context.PageViews, Connections);
        await using var nodes = new NodeSet();
        var contenders = new List<Contender>();
        foreach (string level in new[] { "memory", "disk" })
        {
            foreach (SocketMode sockets in Enum.GetValues<SocketMode>())
            {
                foreach (string build in Builds)
                {
                    string name = $"{level}, {sockets.Text()}, {build}";
                    context.Say($"{Name}: starting {name}");
                    (string, string)[] options = [("ACK", level), .. sockets.Settings()];
                    string folder = context.FolderOf("before-" + name);
                    INode node = build == Builds[0] ? await EstatNode.StandaloneAsync(folder, options)
                        : await EstatNode.OtherBuildAsync(other, folder, options);
                    contenders.Add(Contender.Of(name, nodes.Add(node), load, context.Options.Turn));
                }
            }
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        return [new Section(Name, title, ServerColumns.WithoutFloor, rows, ["what the two rows of the other build differ by is noise"])];
    }
}
