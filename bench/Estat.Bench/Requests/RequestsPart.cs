// Requests: what is accepted, answered again, asked for and decided a second, beside POST /collect at disk and a bare Kestrel.
using System.Diagnostics;
using Estat.Bench.Baseline;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Requests;

/// <summary>One node serves both. Who asks is named in a header: what a token costs is measured apart.</summary>
internal sealed class RequestsPart : ISuitePart
{
    private const int Connections = 256;
    private const int Known = 10_000;
    private const int UsersPerTurn = 200_000; // more than a turn of some seconds takes
    private const int Decided = 50_000;
    private const int Racers = 100_000;
    private const int Places = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly IReadOnlyList<Column> Pace =
    [
        new(Metric.DecisionsPerSecond, "decisions/s", 0),
        new(Metric.LastPlaceMs, "ms to decide the last place", 0),
        new(Metric.SecondsToDrain, "s from the last acceptance to the last decision", 2),
    ];

    public string Name => "requests";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        context.Say($"{Name}: starting");
        EstatNode node = nodes.Add(await EstatNode.StandaloneAsync(
            context.FolderOf("requests"), ("SERVE", "collect,requests"), ("REQUESTS_DIR", context.FolderOf("requests-db")),
            ("REQUESTS_USER_RATE", "1000000"), ("HTTP_FAST_DOOR", "false")));
        INode bare = nodes.Add(await BenchNode.BareAsync(SocketMode.Inline));
        using var campaigns = new Campaigns(node, context.Folder);
        string known = await campaigns.NewAsync(Places);
        RequestFile gets = await campaigns.GetsAsync(known, Known);
        RequestFile duplicates = campaigns.Posts(known, Known);
        TimeSpan turn = context.Options.Turn;
        IReadOnlyList<Row> rows = await Contender.CompareAsync(
            Name,
            [
                Contender.Of("POST /collect at disk", node, new Wrk(context.PageViews, Connections), turn),
                new Contender("a new request", () => AcceptAsync(node, campaigns, turn)),
                Contender.Of("a request that is known", node, new Wrk(duplicates, Connections), turn),
                Contender.Of("GET /requests/{id}", node, new Wrk(gets, Connections), turn),
                Contender.Of("bare Kestrel, GET", bare, new Wrk(gets, Connections), turn),
            ],
            context.Options.Rounds, context);
        IReadOnlyList<Row> paces = await Contender.CompareAsync(
            Name,
            [
                new Contender("50,000 requests that wait", () => DecideAsync(node, campaigns)),
                new Contender("100,000 users for 1,000 places", () => RaceAsync(node, campaigns)),
            ],
            Math.Min(3, context.Options.Rounds), context, warmUp: false);
        return
        [
            new Section(
                Name, $"Requests, {Connections} connections", ServerColumns.WithoutFloor, rows,
                [Ratio(rows, 1, 0, "new requests to POST /collect at disk: at least 0.3"), Ratio(rows, 2, 1, "known to new ones: at least 1.5"),
                    Ratio(rows, 3, 4, "GET to bare Kestrel: at least 0.5")]),
            new Section(Name, "Requests: decisions", Pace, paces, ["at least 20,000 decisions/s; place 1,000 within 500 ms; the last within 8 s"]),
        ];
    }

    private static string Ratio(IReadOnlyList<Row> rows, int one, int other, string what) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{rows[one].Medians[Metric.EventsPerSecond] / rows[other].Medians[Metric.EventsPerSecond]:0.00} {what}");

    private static async Task<Dictionary<string, double>> AcceptAsync(EstatNode node, Campaigns campaigns, TimeSpan turn)
    {
        RequestFile posts = campaigns.Posts(await campaigns.NewAsync(Places), UsersPerTurn);
        Dictionary<string, double> reading = await Turn.RunAsync(node, new Wrk(posts, Connections), turn);
        File.Delete(posts.Path);
        return reading;
    }

    private static async Task<Dictionary<string, double>> DecideAsync(EstatNode node, Campaigns campaigns)
    {
        string campaign = await campaigns.NewAsync(Places);
        await campaigns.OrderAsync(campaign, "pause");
        await FillAsync(node, campaigns, campaign, Decided);
        long waiting = (await campaigns.CountsAsync(campaign)).Open;
        long began = Stopwatch.GetTimestamp();
        await campaigns.OrderAsync(campaign, "resume");
        await UntilDecidedAsync(campaigns, campaign);
        return new Dictionary<string, double> { [Metric.DecisionsPerSecond] = waiting / Stopwatch.GetElapsedTime(began).TotalSeconds };
    }

    private static async Task<Dictionary<string, double>> RaceAsync(EstatNode node, Campaigns campaigns)
    {
        string campaign = await campaigns.NewAsync(Places);
        await FillAsync(node, campaigns, campaign, Racers);
        long began = Stopwatch.GetTimestamp();
        await UntilDecidedAsync(campaigns, campaign);
        return new Dictionary<string, double>
        {
            [Metric.SecondsToDrain] = Stopwatch.GetElapsedTime(began).TotalSeconds,
            [Metric.LastPlaceMs] = (await campaigns.WaitOfLastPlaceAsync(campaign)).TotalMilliseconds,
        };
    }

    /// <summary>Has as many users or more take part, as fast as the node takes them; each in its own name.</summary>
    internal static async Task FillAsync(EstatNode node, Campaigns campaigns, string campaign, int users)
    {
        const int AtOnce = 100_000; // more than are taken in the time
        for (int from = 0; (await campaigns.CountsAsync(campaign)).Accepted < users; from += AtOnce)
        {
            RequestFile posts = campaigns.Posts(campaign, AtOnce, from);
            await new Wrk(posts, Connections).RunAsync(node.Address, TimeSpan.FromSeconds(2));
            File.Delete(posts.Path);
        }
    }

    private static Task UntilDecidedAsync(Campaigns campaigns, string campaign) =>
        Wait.UntilAsync(async () => (await campaigns.CountsAsync(campaign)).Open == 0, Patience, $"everything of {campaign} to be decided");
}
