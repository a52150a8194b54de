// What a recovery tick costs with nothing, one file and 100,000 files in the DLQ: it must not depend on how many there are.
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Estat.Base.Storage;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Collect.Dlq;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Bench.Recovery;

internal sealed class RecoveryTick : ISuitePart
{
    private const int Ticks = 200;
    private const string Due = "scan_due_ms";
    private const string NoneDue = "scan_none_due_ms";
    private const string Stock = "stock_at_start_ms";
    private const string Allocated = "allocated_bytes_per_scan";
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly IReadOnlyList<Column> Columns =
    [
        new(Due, "scan ms: files due", 3), new(NoneDue, "scan ms: none due", 3), new(Stock, "stock ms at start", 0),
        new(Allocated, "B alloc/scan", 0),
    ];

    public string Name => "tick";

    public Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        var rows = new List<Row>();
        foreach (int files in new[] { 0, 1, 1_000, 100_000 })
        {
            context.Say($"{Name}: {files} files");
            rows.Add(Row.Of(string.Create(CultureInfo.InvariantCulture, $"{files:N0} files in the DLQ"), [Measure(files)]));
        }

        return Task.FromResult<IReadOnlyList<Section>>([new Section(Name, "a recovery tick, and a start", Columns, rows, [])]);
    }

    private static Dictionary<string, double> Measure(int files)
    {
        string folder = Directory.CreateTempSubdirectory("estat-bench-").FullName;
        try
        {
            Fill(folder, files);
            (double due, _) = Scan(folder);
            SetDue(folder, DateTime.UtcNow.AddSeconds(50));
            (double notDue, long bytes) = Scan(folder);
            return new Dictionary<string, double> { [Due] = due, [NoneDue] = notDue, [Stock] = TakeStock(folder), [Allocated] = bytes };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Each is a tick: it looks through the names at hand and, where none of them is due, reads the next 1,000.
    private static (double Milliseconds, long Bytes) Scan(string folder)
    {
        using var scan = new DlqScan(() => folder, TimeProvider.System, TimeSpan.FromMinutes(1));
        scan.NextDue();
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < Ticks; i++)
        {
            scan.NextDue();
        }

        return (Stopwatch.GetElapsedTime(started).TotalMilliseconds / Ticks, (GC.GetAllocatedBytesForCurrentThread() - bytes) / Ticks);
    }

    private static double TakeStock(string folder)
    {
        string storage = Directory.CreateTempSubdirectory("estat-bench-").FullName;
        try
        {
            // Storage that nobody can write to keeps the files where they are.
            var options = new CollectOptions { DlqDir = folder, SpoolDir = Path.Combine(storage, "spool"), RecoveryInterval = TimeSpan.FromHours(1) };
            using var store = new FolderObjectStore(storage, TimeProvider.System);
            var engine = new Engine(options, store, TimeProvider.System, NullLoggerFactory.Instance);
            long expected = Directory.EnumerateFiles(folder, "*" + ObjectKeys.Extension).LongCount();
            long started = Stopwatch.GetTimestamp();
            engine.Start();
            while (engine.DlqFiles < expected)
            {
                Thread.Sleep(1);
            }

            double elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            engine.DrainAsync(TimeSpan.FromSeconds(5), CancellationToken.None).GetAwaiter().GetResult();
            engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return elapsed;
        }
        finally
        {
            Directory.Delete(storage, recursive: true);
        }
    }

    private static void Fill(string folder, int files)
    {
        using var content = new MemoryStream();
        using (var gzip = new GZipStream(content, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"x\"}\n"u8);
        }

        for (int i = 0; i < files; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{Created.ToUnixTimeSeconds() + i}_bench_{i}");
            string payload = Path.Combine(folder, name + ObjectKeys.Extension);
            File.WriteAllBytes(payload, content.ToArray());
            File.WriteAllText(
                payload + DlqDirectory.MetaExtension,
                $$"""
                {"num_events":1,"key":"raw/{{name}}.jsonl.gz","created":"2026-01-01T00:00:00+00:00","reason":"bench",
                "next_due":"2026-01-01T00:00:00+00:00","sha256":""}
                """);
        }

        SetDue(folder, Created.UtcDateTime);
    }

    private static void SetDue(string folder, DateTime due)
    {
        foreach (string meta in Directory.EnumerateFiles(folder, "*" + DlqDirectory.MetaExtension))
        {
            File.SetLastWriteTimeUtc(meta, due);
        }
    }
}
