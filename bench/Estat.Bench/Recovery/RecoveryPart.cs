// How fast what waits on disk goes to S3 once it is back.
using Estat.Bench.EndToEnd;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Recovery;

/// <summary>In the suite a small backlog of either kind; <c>Estat.Bench backlog</c> makes one as large as is asked for, and watches latency as
/// well.</summary>
internal sealed class RecoveryPart(string name, double gigabytes, IReadOnlyList<Outage> outages, bool withLatencies) : ISuitePart
{
    private const int MostRounds = 3; // each takes half a minute
    private const double LineBytes = 720; // of Load/EventBodies.cs

    internal RecoveryPart()
        : this("recovery", 0.5, Enum.GetValues<Outage>(), withLatencies: false)
    {
    }

    public string Name => name;

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        string title = $"{gigabytes} GB of lines wait on disk, and storage comes back";
        if (!CephRgw.Available(out string reason))
        {
            return [Section.Skipped(Name, title, reason)];
        }

        context.Say($"{Name}: starting Ceph RGW");
        await using CephStorage storage = await CephStorage.StartAsync();
        Contender[] contenders =
        [
            .. outages.Select(outage => new Contender(
                outage == Outage.Hung ? "in the spool (storage hung)" : "in the DLQ (storage stopped)",
                () => new Backlog(context, storage, gigabytes * 1e9 / LineBytes, outage, withLatencies).RunAsync())),
        ];
        IReadOnlyList<Row> rows = await Contender.CompareAsync(
            Name, contenders, withLatencies ? 1 : Math.Min(MostRounds, context.Options.Rounds), context, warmUp: false);
        Section drain = new(Name, title, Backlog.Columns, [.. rows.Select(row => row.Without(Backlog.Latencies))], []);
        Section latencies = new(
            Name, "what new events wait meanwhile, 4 connections", Backlog.Latencies, [.. rows.Select(row => row.Only(Backlog.Latencies))], []);
        return withLatencies ? [drain, latencies] : [drain];
    }
}
