// From a request to an object in a real S3, and what was counted there.
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.EndToEnd;

internal sealed class S3Part : ISuitePart
{
    private const int Connections = 64;
    private const int BatchConnections = 16;
    private const string Objects = "objects";
    private const string Counted = "events_in_objects";
    private const string Missing = "missing_events";
    private static readonly (string, string) SealSoon = ("FLUSH_INTERVAL", "250ms");
    private static readonly IReadOnlyList<Column> Counts =
    [
        new(Metric.Acknowledged, "acknowledged", 0),
        new(Metric.StoredEvents, "stored", 0),
        new(Objects, "objects", 0),
        new(Counted, "events in them", 0),
        new(Missing, "missing", 0),
        new(Metric.StoredPerSecond, "stored/s", 0),
        new(Metric.SecondsToDrain, "s to drain", 2),
    ];

    public string Name => "s3";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        const string title = "to a real S3 (Ceph RGW on the same cores and disk), at disk";
        if (!CephRgw.Available(out string reason))
        {
            return [Section.Skipped(Name, title, reason)];
        }

        context.Say($"{Name}: starting Ceph RGW");
        await using CephStorage storage = await CephStorage.StartAsync();
        await using var nodes = new NodeSet();
        var single = new Wrk(context.PageViews, Connections);
        var batch = new Wrk(context.Batches, BatchConnections);
        Contender[] contenders =
        [
            await OfAsync($"POST /collect, {Connections} connections", single),
            await OfAsync($"POST /collect/batch, {BatchConnections} connections", batch),
        ];
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        return
        [
            new Section(Name, title, ServerColumns.All, [.. rows.Select(row => row.Without(Counts))], []),
            new Section(
                Name,
                "what was counted in the bucket after it, one round",
                Counts,
                [.. rows.Select(row => row.Only(Counts))],
                ["stored is the server's word; it may exceed what was acknowledged by what was on its way when wrk stopped"]),
        ];

        async Task<Contender> OfAsync(string name, Wrk load)
        {
            (EstatNode node, string bucket) = await storage.StartNodeAsync(context.FolderOf("s3-" + load.Requests.EventsPerRequest), SealSoon);
            nodes.Add(node);
            return new Contender(name, async () =>
            {
                Dictionary<string, double> reading = await SustainedTurn.RunAsync(node, load, context.Options.Turn);
                context.Say($"{Name}: reading what was stored");
                (long objects, long events) = await storage.CountAndDeleteAsync(bucket);
                reading[Objects] = objects;
                reading[Counted] = events;
                reading[Missing] = Math.Max(0, Math.Max(reading[Metric.Acknowledged], reading[Metric.StoredEvents]) - events);
                return reading;
            });
        }
    }
}
