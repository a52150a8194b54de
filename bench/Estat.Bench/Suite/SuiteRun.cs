// The suite: every part in turn, then one table, the JSON and the chart.
using Estat.Bench.Batching;
using Estat.Bench.Collecting;
using Estat.Bench.Encoders;
using Estat.Bench.Measuring;
using Estat.Bench.Reporting;

namespace Estat.Bench.Suite;

internal static class SuiteRun
{
    private static readonly IReadOnlyList<ISuitePart> Parts =
    [
        new CollectPart(), new LoneRequest(), new BatchPart(), new EncodePart(),
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
        Console.CancelKeyPress += (_, key) =>
        {
            // The first lets servers end and folders go; a second one ends it at once.
            key.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        using var folder = new WorkFolder();
        var context = new SuiteContext(options, folder.Path, stop.Token);
        Machine machine = await Machine.ReadAsync(folder.Path);
        Console.WriteLine(machine);
        Console.WriteLine(
            $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, load average {Machine.LoadAverage()}; medians of {options.Rounds} rounds in turns, {options.Turn.TotalSeconds:0} s each");
        var sections = new List<Section>();
        try
        {
            foreach (ISuitePart part in parts)
            {
                sections.AddRange(await part.RunAsync(context));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.Error.WriteLine("stopped; what was measured until then:");
        }

        Console.WriteLine(TextTable.Of(sections));
        Report report = await Report.AddAsync(options.Json, machine, sections);
        Console.WriteLine($"all rounds: {options.Json}");
        return stop.IsCancellationRequested ? 130 : 0;
    }
}
