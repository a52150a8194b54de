// The suite: every part in turn, then one table, the JSON and the chart.
using System.Runtime.InteropServices;
using Estat.Bench.Batching;
using Estat.Bench.Clustering;
using Estat.Bench.Collecting;
using Estat.Bench.Encoders;
using Estat.Bench.EndToEnd;
using Estat.Bench.Measuring;
using Estat.Bench.Recovery;
using Estat.Bench.Reporting;
using Estat.Bench.Requests;
using Estat.Bench.Starting;
using Estat.Bench.Topics;
using Estat.Bench.Watching;

namespace Estat.Bench.Suite;

internal static class SuiteRun
{
    private static readonly IReadOnlyList<ISuitePart> Parts =
    [
        new CollectPart(), new ManyConnectionsPart(), new LoneRequest(), new BatchPart(), new EncodePart(), new S3Part(), new RecoveryPart(),
        new RecoveryTick(), new StartPart(), new ClusterPart(), new ConsolePart(), BeforePart.Collect(), BeforePart.Batch(),
        new RequestsPart(), new MillionPart(), new TopicsPart(),
    ];

    /// <summary>The parts' names, as <c>--only</c> takes them.</summary>
    internal static string Names => string.Join(",", Parts.Select(part => part.Name));

    /// <exception cref="FormatException">A part was asked for that there is not.</exception>
    internal static Task<int> RunAsync(SuiteOptions options)
    {
        if (options.Only.FirstOrDefault(name => Parts.All(part => part.Name != name)) is { } unknown)
        {
            throw new FormatException($"there is no part '{unknown}'; there are {Names}");
        }

        return RunAsync(options, [.. Parts.Where(part => options.Only.Count == 0 || options.Only.Contains(part.Name))]);
    }

    /// <summary>Runs parts and returns the exit code.</summary>
    internal static async Task<int> RunAsync(SuiteOptions options, IReadOnlyList<ISuitePart> parts)
    {
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var folder = new WorkFolder();
        var context = new SuiteContext(options, folder.Path, stop.Token);
        Machine machine = await Machine.ReadAsync(folder.Path);
        Console.WriteLine(machine);
        Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, load average {Machine.LoadAverage()}");
        Console.WriteLine($"medians of {options.Rounds} rounds in turns of {options.Turn.TotalSeconds:0} s where nothing else is said");
        var sections = new List<Section>();
        bool failed = false;
        foreach (ISuitePart part in parts.TakeWhile(_ => !stop.IsCancellationRequested))
        {
            try
            {
                IReadOnlyList<Section> measured = await part.RunAsync(context);
                sections.AddRange(measured);
                Report report = await Report.AddAsync(options.Json, machine, measured);
                await File.WriteAllTextAsync(options.Svg, Chart.Of(report));
                await File.WriteAllTextAsync(options.Html, ReportPage.Of(report));
            }
            catch (Exception error)
            {
                // Also a server or wrk that Ctrl-C took away. The other parts' figures are worth what they were.
                failed = true;
                Console.Error.WriteLine(stop.IsCancellationRequested ? $"{part.Name}: stopped" : $"{part.Name} failed: {error}");
            }
        }

        Console.WriteLine(TextTable.Of(sections));
        Console.WriteLine(ReportPage.HowToRead);
        Console.WriteLine($"as a page: {options.Html}; all rounds: {options.Json}; the chart: {options.Svg}");
        return failed ? 1 : 0;

        void Stop(PosixSignalContext signal)
        {
            // The first lets servers end and folders go; a second one ends it at once.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
