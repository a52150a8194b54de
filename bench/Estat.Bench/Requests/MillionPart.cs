// What a request costs when a million are in the store.
using Estat.Bench.Load;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Requests;

/// <summary>The same turn over an empty store, and over one that was filled; takes some minutes.</summary>
internal sealed class MillionPart : ISuitePart
{
    private const int Connections = 256;
    private const int First = 10_000;
    private const int Million = 1_000_000;

    public string Name => "requests-million";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        EstatNode node = nodes.Add(await EstatNode.StandaloneAsync(
            context.FolderOf("million"), ("SERVE", "collect,requests"), ("REQUESTS_DIR", context.FolderOf("million-db")),
            ("REQUESTS_USER_RATE", "1000000")));
        using var campaigns = new Campaigns(node, context.Folder);
        context.Say($"{Name}: the first {First:N0}");
        await RequestsPart.FillAsync(node, campaigns, await campaigns.NewAsync(1_000), First); // warms up
        string campaign = await campaigns.NewAsync(1_000);
        Row first = Row.Of("an empty store", [await TakeAsync(node, campaigns, campaign, 0)]);
        context.Say($"{Name}: filling it with {Million:N0}");
        await RequestsPart.FillAsync(node, campaigns, campaign, Million);
        Row last = Row.Of("a million in the store", [await TakeAsync(node, campaigns, campaign, int.MaxValue / 2)]);
        return [new Section(Name, $"A new request, {Connections} connections", ServerColumns.WithoutFloor, [first, last],
            ["the cost after a million may be 1.5 times that of the first"])];
    }

    private static async Task<Dictionary<string, double>> TakeAsync(EstatNode node, Campaigns campaigns, string campaign, int from)
    {
        RequestFile posts = campaigns.Posts(campaign, 10 * First, from);
        Dictionary<string, double> reading = await Turn.RunAsync(node, new Wrk(posts, Connections), TimeSpan.FromSeconds(3));
        File.Delete(posts.Path);
        return reading;
    }
}
