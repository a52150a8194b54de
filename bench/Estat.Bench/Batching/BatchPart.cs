// POST /collect/batch: what comes in, what is refused, and what a node keeps up with once everything has to be stored.
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Batching;

internal sealed class BatchPart : ISuitePart
{
    private const int Connections = 4; // what the queue has room for at its default size: with more, most of the work on both sides is answers 503

    // What is left in open batches at the end must not have to be waited for. Under load they are full long before.
    private static readonly (string, string) SealSoon = ("FLUSH_INTERVAL", "250ms");
    private static readonly IReadOnlyList<Column> Sustained =
    [
        new(Metric.StoredPerSecond, "stored/s", 0),
        new(Metric.SecondsToDrain, "s to drain", 2),
        new(Metric.ResidentAtStart, "RSS MB at start", 0),
        new(Metric.ResidentMidway, "midway", 0),
        new(Metric.ResidentAtEnd, "at end", 0),
        new(Metric.ResidentAtMost, "at most", 0),
    ];

    public string Name => "batch";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        await using var nodes = new NodeSet();
        EstatNode plain = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("batch-plain"), SealSoon));
        EstatNode gzip = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("batch-gzip"), SealSoon));
        IReadOnlyList<Row> rows = await Contender.CompareAsync(
            Name,
            [Of("NDJSON", plain, context.Batches), Of("NDJSON, gzip", gzip, context.GzipBatches)],
            context.Options.Rounds,
            context);
        string title = $"POST /collect/batch at disk, {SuiteContext.EventsPerBatch} events a request, {Connections} connections";
        return
        [
            new Section(
                Name,
                title,
                ServerColumns.All,
                [.. rows.Select(row => row.Without(Sustained))],
                ["non-2xx are requests of one round, answered 503: the queue was full"]),
            new Section(Name, "the same until all of it is stored", Sustained, [.. rows.Select(row => row.Only(Sustained))], []),
        ];

        Contender Of(string name, EstatNode node, RequestFile requests) =>
            new(name, () => SustainedTurn.RunAsync(node, new Wrk(requests, Connections), context.Options.Turn));
    }
}
