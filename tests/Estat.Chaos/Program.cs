// Sends events through every kind of trouble and counts what became of each. See docs/guarantees.md for what it tries to refute.

using Estat.Chaos;
using Estat.Chaos.Scenarios;

if (args.Contains("--help"))
{
    Console.WriteLine(ChaosOptions.Usage);
    return 0;
}

ChaosOptions options;
try
{
    options = ChaosOptions.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(ChaosOptions.Usage);
    return 2;
}

if (options.List)
{
    foreach (var scenario in Catalog.All)
    {
        Console.WriteLine($"{scenario.Name,-17} {scenario.Summary}");
    }

    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    // The first ends the run after this round, with its table; a second one ends it at once.
    key.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
};
return await new ChaosRun(options, Console.Out).RunAsync(stop.Token);
