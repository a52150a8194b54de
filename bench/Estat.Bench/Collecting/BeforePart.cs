// This build beside another one: what a change costs.
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>The other build runs twice: how far its two rows are apart is what a difference means nothing below.</summary>
internal sealed class BeforePart : ISuitePart
{
    private static readonly IReadOnlyList<string> Levels = ["memory", "disk"];
    private static readonly IReadOnlyList<string> Builds = ["now", "before", "before again"];
    private readonly string _what;
    private readonly IReadOnlyList<(string Name, (string, string)[] Options)> _ways;
    private readonly Func<SuiteContext, Wrk> _load;

    private BeforePart(
        string name, string what, IReadOnlyList<(string Name, (string, string)[] Options)> ways, Func<SuiteContext, Wrk> load)
    {
        Name = name;
        _what = what;
        _ways = ways;
        _load = load;
    }

    public string Name { get; }

    /// <summary>One event a request, at <c>memory</c> and <c>disk</c>, on either kind of threads.</summary>
    internal static BeforePart Collect() => new(
        "before", "POST /collect beside another build, 64 connections",
        [.. from level in Levels from sockets in Enum.GetValues<SocketMode>()
            select ($"{level}, {sockets.Text()}", ((string, string)[])[("ACK", level), .. sockets.Settings()])],
        context => new Wrk(context.PageViews, 64));

    /// <summary>Many events a request, at <c>disk</c>. As many connections as the queue has room for.</summary>
    internal static BeforePart Batch() => new(
        "before-batch", $"POST /collect/batch beside another build, {SuiteContext.EventsPerBatch} events a request, 4 connections",
        [("disk", [("ACK", "disk")])], context => new Wrk(context.Batches, 4));

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        if (context.Options.Against is not { } other)
        {
            return [Section.Skipped(Name, _what, $"no other build was named: make bench ONLY={Name} AGAINST=…/Estat.Api.dll")];
        }

        Wrk load = _load(context);
        await using var nodes = new NodeSet();
        var contenders = new List<Contender>();
        foreach ((string way, (string, string)[] options) in _ways)
        {
            foreach (string build in Builds)
            {
                string name = $"{way}, {build}";
                context.Say($"{Name}: starting {name}");
                string folder = context.FolderOf($"{Name}-{name}");
                INode node = build == Builds[0] ? await EstatNode.StandaloneAsync(folder, options)
                    : await EstatNode.OtherBuildAsync(other, folder, options);
                contenders.Add(Contender.Of(name, nodes.Add(node), load, context.Options.Turn));
            }
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        return [new Section(Name, _what, ServerColumns.WithoutFloor, rows, ["what the two rows of the other build differ by is noise"])];
    }
}
