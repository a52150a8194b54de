// Round after round until the time is over; then the table.

using System.Diagnostics;
using Estat.Chaos.Scenarios;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>Exit codes: 0 every promise held, 1 one was broken, 2 nothing could be run.</summary>
internal sealed class ChaosRun(ChaosOptions options, TextWriter output)
{
    private const int Held = 0;
    private const int Broken = 1;
    private const int NotRun = 2;
    private static readonly TimeSpan RoundLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SlowToSettle = TimeSpan.FromSeconds(30);
    private readonly Tally _tally = new();

    internal async Task<int> RunAsync(CancellationToken stop)
    {
        if (!CephRgw.Available(out var reason))
        {
            output.WriteLine($"Estat.Chaos needs a real S3: {reason}");
            return NotRun;
        }

        output.WriteLine($"seed {options.Seed}");
        var offered = await Levels.OfferedAsync();
        IReadOnlyList<string> turns = options.Level is { } one ? [one] : offered.Count > 1 ? [.. offered, Levels.Mixed] : offered;
        if (turns.Any(level => level != Levels.Mixed && !offered.Contains(level)))
        {
            output.WriteLine($"This server does not offer {options.Level}, only {string.Join(", ", offered)}.");
            return NotRun;
        }

        foreach (var level in AckNames.OfOneNode.Except(offered))
        {
            output.WriteLine($"NOT TESTED: level {level}; this server does not offer it.");
        }

        if (!TryChoose(offered, out var scenarios))
        {
            return NotRun;
        }

        output.WriteLine("Starting S3…");
        await using var rgw = await CephRgw.StartAsync();
        await rgw.CreateBucketAsync(); // the first one makes the gateway set up its pools, which is no part of a round
        var began = Stopwatch.GetTimestamp();
        for (var number = options.Round ?? 1; !stop.IsCancellationRequested; number++)
        {
            await RunRoundAsync(RoundPlan.Of(options.Seed, number, scenarios, turns, offered), offered, rgw);
            if (options.Round is not null || Stopwatch.GetElapsedTime(began) >= options.Duration)
            {
                break;
            }
        }

        output.WriteLine();
        _tally.Print(output, Stopwatch.GetElapsedTime(began));
        output.WriteLine(_tally.Failures == 0 ? "Every promise held." : $"FAILED: {_tally.Failures} of {_tally.Rounds} rounds.");
        return _tally.Failures == 0 ? Held : Broken;
    }

    private bool TryChoose(IReadOnlyList<string> offered, out IReadOnlyList<Scenario> chosen)
    {
        chosen = [];
        var unknown = options.Scenarios.Except(Catalog.All.Select(scenario => scenario.Name)).ToList();
        if (unknown.Count > 0)
        {
            output.WriteLine($"No scenario is named {string.Join(", ", unknown)}; there are "
                + $"{string.Join(", ", Catalog.All.Select(scenario => scenario.Name))}.");
            return false;
        }

        var named = options.Scenarios.Count == 0 ? Catalog.Turns : [.. Catalog.All.Where(scenario => options.Scenarios.Contains(scenario.Name))];
        foreach (var scenario in named)
        {
            if (scenario.Missing(offered) is { } missing)
            {
                output.WriteLine($"SKIPPED: {scenario.Name}: {missing}");
            }
        }

        chosen = [.. named.Where(scenario => scenario.Missing(offered) is null)];
        return chosen.Count > 0;
    }

    private async Task RunRoundAsync(RoundPlan plan, IReadOnlyList<string> offered, CephRgw rgw)
    {
        Round? round = null;
        try
        {
            round = await Round.BeginAsync(plan, offered, rgw);
            var result = await round.RunAsync(options.Sabotage).WaitAsync(RoundLimit);
            _tally.Add(result);
            output.WriteLine(result.Line);
            if (result.Complaints.Count > 0)
            {
                await TellAsync(plan, result.Complaints, round.Evidence());
            }
            else
            {
                if (result.Settled > SlowToSettle)
                {
                    // No promise is broken: a machine that stood still looks the same. The log tells which it was.
                    await TellAsync(plan, [$"it took {result.Settled.TotalSeconds:0} s to come to rest"], round.Evidence());
                }

                await round.CleanAsync();
            }
        }
        catch (Exception e)
        {
            // An unsound object, a server that does not start, a tool that fails: the round has no result, and the run goes on to the next.
            _tally.AddBroken();
            output.WriteLine($"{plan.Number,4}  {plan.Scenario.Name,-16} {plan.Level,-6} FAILED while {round?.Phase ?? "beginning"}");
            await TellAsync(plan, [e.ToString()], round?.Evidence() ?? []);
        }
        finally
        {
            await (round?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    private async Task TellAsync(RoundPlan plan, IReadOnlyList<string> complaints, IEnumerable<string> evidence)
    {
        foreach (var complaint in complaints)
        {
            output.WriteLine($"      {complaint}");
        }

        var folder = Path.Combine(Repository.Root, "artifacts", "chaos");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{options.Seed}-{plan.Number}.log");
        await File.WriteAllLinesAsync(file, complaints.Concat(evidence));
        output.WriteLine($"      the server's log: {Path.GetRelativePath(Repository.Root, file)}");
        output.WriteLine($"      again: {options.Replay(plan.Number)}");
    }
}
