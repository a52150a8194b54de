// A backlog on disk: storage goes away, events go on coming until so many wait, storage comes back.
using System.Diagnostics;
using System.Globalization;
using Estat.Bench.EndToEnd;
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Recovery;

/// <summary>One turn of it.</summary>
/// <param name="context">The suite.</param>
/// <param name="storage">Storage that goes away.</param>
/// <param name="events">So many wait on disk before it comes back.</param>
/// <param name="outage">How it goes away.</param>
/// <param name="withLatencies">Whether to see what new events wait before, in and after it, which disturbs the drain.</param>
internal sealed class Backlog(SuiteContext context, CephStorage storage, double events, Outage outage, bool withLatencies)
{
    internal static readonly IReadOnlyList<Column> Columns =
    [
        new(Waiting, "waiting MB", 0),
        new(Files, "files", 0),
        new(Events, "events", 0),
        new(Seconds, "s to drain", 1),
        new(FilesPerSecond, "files/s", 1),
        new(Metric.EventsPerSecond, "events/s", 0),
        new(MegabytesPerSecond, "MB/s", 1),
        new(Metric.ResidentAtStart, "RSS MB before", 0),
        new(Metric.ResidentAtMost, "at most", 0),
    ];

    internal static readonly IReadOnlyList<Column> Latencies =
    [
        new("p50_before_ms", "p50 ms before", 2), new("p99_before_ms", "p99 ms before", 2),
        new("p50_without_ms", "p50 without S3", 2), new("p99_without_ms", "p99 without S3", 2),
        new("p50_draining_ms", "p50 draining", 2), new("p99_draining_ms", "p99 draining", 2),
    ];

    private const string Waiting = "waiting_mb";
    private const string Files = "waiting_files";
    private const string Events = "waiting_events";
    private const string Seconds = "seconds_to_drain";
    private const string FilesPerSecond = "files_per_second";
    private const string MegabytesPerSecond = "mb_per_second";
    private const int Connections = 8;
    private const int FewConnections = 4;
    private static readonly TimeSpan FillTurn = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LatencyTurn = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Tell = TimeSpan.FromSeconds(5);
    private readonly Dictionary<string, double> _reading = [];

    internal async Task<Dictionary<string, double>> RunAsync()
    {
        string folder = context.FolderOf("backlog-" + Guid.NewGuid().ToString("n")[..8]);
        (EstatNode node, _) = await storage.StartNodeAsync(folder, ("SPOOL_MAX_SIZE_BYTES", "64000000000"), ("DLQ_MAX_SIZE_BYTES", "64000000000"));
        await using EstatNode running = node;
        await SeeLatencyAsync(node, "before");
        var load = new Wrk(context.Batches, Connections);
        await load.RunAsync(node.Address, context.Options.Turn);
        await using var memory = new MemoryWatch(() => node.ResidentBytes);
        await outage.BeginAsync(storage.Gateway);
        await FillAsync(node, load);
        await SeeLatencyAsync(node, "without");
        await DrainAsync(node);
        IReadOnlyList<double> resident = await memory.StopAsync();
        _reading[Metric.ResidentAtStart] = resident[0];
        _reading[Metric.ResidentAtMost] = resident.Max();
        await node.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        return _reading;
    }

    private static async Task<double> WaitingBytesAsync(EstatNode node) =>
        await node.SumAsync("estat_spool_bytes") + await node.SumAsync("dlq_size_bytes");

    private static async Task<double> WaitingEventsAsync(EstatNode node) => await node.EventsAsync("spooled") + await node.EventsAsync("dlq");

    private async Task FillAsync(EstatNode node, Wrk load)
    {
        for (double waiting = 0; waiting < events;)
        {
            await load.RunAsync(node.Address, FillTurn);
            waiting = await WaitingEventsAsync(node);
            double segments = await node.SumAsync("estat_spool_waiting_segments");
            double files = await node.SumAsync("dlq_files_current");
            double bytes = await WaitingBytesAsync(node);
            string disk = string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB in {segments:0} segments and {files:0} DLQ files");
            context.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"  {waiting:N0} of {events:N0} events wait: {disk}; {node.ResidentBytes / Metric.Megabyte:0} MB resident"));
        }
    }

    private async Task DrainAsync(EstatNode node)
    {
        double waiting = await WaitingBytesAsync(node);
        double files = await node.WaitingFilesAsync();
        double backlog = await WaitingEventsAsync(node);
        await outage.EndAsync(storage.Gateway);
        context.Say($"  storage ({outage}) is back");
        long started = Stopwatch.GetTimestamp();
        // At the same time: what new events wait must not hide that the backlog is gone already.
        Task latency = SeeLatencyAsync(node, "draining");
        long told = Stopwatch.GetTimestamp();
        while (await node.WaitingFilesAsync() is var remaining and > 0)
        {
            if (Stopwatch.GetElapsedTime(told) > Tell)
            {
                told = Stopwatch.GetTimestamp();
                context.Say(string.Create(CultureInfo.InvariantCulture, $"  {remaining:0} of {files:0} files left"));
            }

            await Task.Delay(Look, context.Stop);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await latency;
        _reading[Waiting] = waiting / Metric.Megabyte;
        _reading[Files] = files;
        _reading[Events] = backlog;
        _reading[Seconds] = seconds;
        _reading[FilesPerSecond] = files / seconds;
        _reading[Metric.EventsPerSecond] = backlog / seconds;
        _reading[MegabytesPerSecond] = waiting / Metric.Megabyte / seconds;
    }

    private async Task SeeLatencyAsync(EstatNode node, string when)
    {
        if (withLatencies)
        {
            WrkResult seen = await new Wrk(context.PageViews, FewConnections).RunAsync(node.Address, LatencyTurn);
            _reading[$"p50_{when}_ms"] = seen.P50.TotalMilliseconds;
            _reading[$"p99_{when}_ms"] = seen.P99.TotalMilliseconds;
            context.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"  new events, {when}: p50 {seen.P50.TotalMilliseconds:0.00} ms, p99 {seen.P99.TotalMilliseconds:0.00} ms, {seen.Refused} refused"));
        }
    }
}
