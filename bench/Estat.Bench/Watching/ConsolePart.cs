// What watchers cost: POST /collect with and without ten consoles and five tails at the same server.
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Watching;

/// <summary>One server at its defaults, loaded by turns alone and watched: so nothing but the watchers differs.</summary>
internal sealed class ConsolePart : ISuitePart
{
    private const int Connections = 64;
    private const int Consoles = 10;
    private const int Tails = 5;
    private const string Alone = "nobody watches";
    private static readonly string Watched = $"{Consoles} consoles, {Tails} tails";

    public string Name => "console";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        var load = new Wrk(context.PageViews, Connections);
        await using var nodes = new NodeSet();
        EstatNode node = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("console")));
        Contender alone = Contender.Of(Alone, node, load, context.Options.Turn);
        var watched = new Contender(Watched, async () =>
        {
            await using var watchers = await Watchers.OpenAsync(node.Address, Consoles, Tails);
            Dictionary<string, double> reading = await alone.Turn();
            watchers.EnsureAllSaw();
            return reading;
        });
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, [alone, watched], context.Options.Rounds, context);
        double[] losses =
        [
            .. rows[0].Rounds.Zip(rows[1].Rounds, (without, with) => 100 * (1 - (with[Metric.EventsPerSecond] / without[Metric.EventsPerSecond]))),
        ];
        string note = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"watchers cost {Row.Median(losses):0.0} % of the rate (median of the rounds' losses: "
                + $"{string.Join(", ", losses.Select(loss => $"{loss:0.0}"))}); 3 % is the most that they may");
        return [new Section(Name, $"POST /collect, {Connections} connections, watched", ServerColumns.All, rows, [note])];
    }
}
