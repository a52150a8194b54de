// The command line: what to run from words.

using System.Globalization;
using Estat.Cluster.Chaos.Scenarios;
using Estat.Testing;

namespace Estat.Cluster.Chaos;

internal static class CommandLine
{
    /// <summary>Exit code: every promise held.</summary>
    internal const int Held = 0;

    /// <summary>Exit code: one was broken.</summary>
    internal const int Broken = 1;

    /// <summary>Exit code: nothing could be run.</summary>
    internal const int NotRun = 2;

    internal const string Usage =
        """
        usage: Estat.Cluster.Chaos [--duration 5m] [--level replica|disk|stored] [--scenario NAME] [--rate N] [--connections N] [--seed N]
                                   [--silos N] [--gateways N] [--every 20s] [--clustering redis|dynamodb] [--set KEY=VALUE]…
                                   [--sabotage lose|double] [--list]
          --duration     how long the load lasts: 30s, 5m, 1h
          --level        what a 200 has to mean; at replica and stored the disk of a silo that is killed is wiped, at disk it is kept
          --scenario     kill unless another is named; --list names them; a,b,c: one after another in one cluster
          --rate         events per second, all connections together (5000)
          --connections  events that may be on their way at a time (128)
          --clustering   what holds the membership: redis unless dynamodb is named, whose provider is not built on every machine
          --every        least time from one trouble to the next
          --set          an option for every node, such as MEMBERSHIP_PROBE=1s
          --sabotage     takes an object away, or stores one a second time, before the audit: the run has to fail
        """;

    /// <summary>Reads the arguments; an empty value counts as not given, so that make can pass what it has.</summary>
    /// <exception cref="FormatException">They make no sense; the message says why.</exception>
    internal static ClusterPlan Parse(IReadOnlyList<string> args)
    {
        var plan = new ClusterPlan();
        for (var i = 0; i < args.Count; i += 2)
        {
            var value = i + 1 < args.Count ? args[i + 1] : throw new FormatException($"{args[i]} needs a value");
            plan = value.Length == 0 ? plan : With(plan, args[i], value);
        }

        return plan;
    }

    private static ClusterPlan With(ClusterPlan plan, string name, string value) => name switch
    {
        "--duration" => plan with { Duration = DurationOf(name, value) },
        "--every" => plan with { Every = DurationOf(name, value) },
        "--level" when value is AckNames.Replica or AckNames.Disk or AckNames.Stored => plan with { Level = value },
        "--level" => throw new FormatException($"--level takes replica, disk or stored, not '{value}'"),
        "--scenario" when value.Contains(',', StringComparison.Ordinal) =>
            plan with { Scenario = new InTurn([.. value.Split(',').Select(ScenarioOf)]) },
        "--scenario" => plan with { Scenario = ScenarioOf(value) },
        "--clustering" when value is MembershipStore.Redis or MembershipStore.DynamoDb => plan with { Clustering = value },
        "--clustering" => throw new FormatException($"--clustering takes redis or dynamodb, not '{value}'"),
        "--rate" => plan with { PerSecond = NumberOf(name, value) },
        "--connections" => plan with { Connections = NumberOf(name, value) },
        "--seed" => plan with { Seed = NumberOf(name, value) },
        "--silos" => plan with { Silos = NumberOf(name, value) },
        "--gateways" => plan with { Gateways = NumberOf(name, value) },
        "--set" when value.Split('=', 2) is [var key, var setting] =>
            plan with { Options = new Dictionary<string, string>(plan.Options) { [key] = setting } },
        "--set" => throw new FormatException($"--set takes KEY=VALUE, not '{value}'"),
        "--sabotage" when value is "lose" or "double" => plan with { Sabotage = value },
        "--sabotage" => throw new FormatException($"--sabotage takes lose or double, not '{value}'"),
        _ => throw new FormatException($"unknown option {name}"),
    };

    private static ClusterScenario ScenarioOf(string name) =>
        ClusterCatalog.All.FirstOrDefault(scenario => scenario.Name == name)
        ?? throw new FormatException(
            $"--scenario takes {string.Join(", ", ClusterCatalog.All.Select(scenario => scenario.Name))}, or several with commas, not '{name}'");

    private static int NumberOf(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"{name} takes a whole number above 0, not '{value}'");

    private static TimeSpan DurationOf(string name, string value) =>
        double.TryParse(value[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? value[^1] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                _ => throw new FormatException($"{name} takes 30s, 5m or 1h, not '{value}'"),
            }
            : throw new FormatException($"{name} takes 30s, 5m or 1h, not '{value}'");
}
