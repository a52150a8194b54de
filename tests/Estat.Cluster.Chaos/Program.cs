// Kills, stops, starves and scales a cluster under load, and counts what became of each event. See docs/chaos.md.

using Estat.Cluster.Chaos;
using Estat.Cluster.Chaos.Scenarios;

if (args.Contains("--help"))
{
    Console.WriteLine(CommandLine.Usage);
    return CommandLine.Held;
}

if (args.Contains("--list"))
{
    foreach (var scenario in ClusterCatalog.All)
    {
        Console.WriteLine($"{scenario.Name,-16} {scenario.Summary}");
    }

    return CommandLine.Held;
}

try
{
    var plan = CommandLine.Parse(args);
    using var stop = new CancellationTokenSource();
    Console.CancelKeyPress += (_, key) =>
    {
        // The first ends the load, and the audit follows; a second one ends it all at once.
        key.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    };
    if (!ClusterRun.Available(plan.Clustering, out var reason))
    {
        Console.Error.WriteLine($"Cannot run: {reason}");
        return CommandLine.NotRun;
    }

    var result = await ClusterRun.RunAsync(plan, Console.Out.WriteLine, stop.Token);
    return result.Complaints.Count == 0 ? CommandLine.Held : CommandLine.Broken;
}
catch (Exception e) when (e is InvalidOperationException or TimeoutException)
{
    // A node, S3 or a membership that does not start: the message holds what it printed.
    Console.Error.WriteLine($"Nothing could be run: {e.Message}");
    return CommandLine.NotRun;
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(CommandLine.Usage);
    return CommandLine.NotRun;
}
