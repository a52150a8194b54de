// Everything about a round that is decided before it begins, all of it from the seed and the round's number.

using System.Globalization;
using Estat.Chaos.Scenarios;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>One round's choices. The same seed, filters and number make the same plan.</summary>
internal sealed class RoundPlan
{
    private const int Rarest = 4;

    private RoundPlan(int number, int seed, Scenario scenario, string level, IReadOnlyList<string> levels)
    {
        Number = number;
        Seed = seed;
        Scenario = scenario;
        Level = level;
        var random = RandomFor(0);
        var own = levels[random.Next(levels.Count)];
        Kinds = [.. KindsOf(levels, own, random)];
        Connections = random.Next(12, 40);
        PerSecond = random.Next(600, 3_000);
        Load = TimeSpan.FromMilliseconds(random.Next(1_500, 3_500));
        Options = OptionsOf(own, random);
    }

    /// <summary>From 1.</summary>
    internal int Number { get; }

    internal Scenario Scenario { get; }

    /// <summary>memory, disk, stored or mixed.</summary>
    internal string Level { get; }

    internal IReadOnlyList<RequestKind> Kinds { get; }

    internal int Connections { get; }

    internal int PerSecond { get; }

    /// <summary>How long the scenario goes on injecting.</summary>
    internal TimeSpan Load { get; }

    /// <summary>The server's options that have nothing to do with where things are.</summary>
    internal IReadOnlyDictionary<string, string> Options { get; }

    private int Seed { get; }

    /// <summary>The plan of a round of a run in which these scenarios and levels take turns.</summary>
    internal static RoundPlan Of(
        int seed, int number, IReadOnlyList<Scenario> scenarios, IReadOnlyList<string> turns, IReadOnlyList<string> offered)
    {
        var (cycle, place) = Math.DivRem(number - 1, scenarios.Count);
        var order = Enumerable.Range(0, scenarios.Count).ToArray();
        Mix(seed, -cycle - 1).Shuffle(order);
        var index = order[place];
        var scenario = scenarios[index];
        var concerned = turns.Where(scenario.Concerns).ToList() is { Count: > 0 } some ? some : turns;
        // Each cycle, each scenario moves on to another level.
        var level = concerned[(index + cycle) % concerned.Count];
        return new RoundPlan(number, seed, scenario, level, Levels.Of(level, offered));
    }

    /// <summary>A source of its own for each that draws at the same time as others: their order must not change what is drawn.</summary>
    internal Random RandomFor(int drawer) => Mix(Seed, (Number * 16) + drawer);

    internal static string Milliseconds(int number) => number.ToString(CultureInfo.InvariantCulture) + "ms";

    private static Random Mix(int seed, int number)
    {
        // SplitMix64's last steps: neighbouring numbers must not make similar sequences.
        var mixed = unchecked(((ulong)(uint)seed << 32) + (uint)number + 0x9E3779B97F4A7C15);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
        return new Random((int)((mixed ^ (mixed >> 31)) & int.MaxValue));
    }

    // Each level with single events and with batches, by name; the server's own also without.
    private static IEnumerable<RequestKind> KindsOf(IReadOnlyList<string> levels, string own, Random random)
    {
        foreach (var level in levels)
        {
            yield return new RequestKind(level, Named: level != own || random.Next(2) == 0);
            yield return new RequestKind(level, Named: level != own || random.Next(2) == 0, random.Next(2, 40));
            yield return new RequestKind(level, Named: level != own);
        }
    }

    private static Dictionary<string, string> OptionsOf(string own, Random random)
    {
        var options = new Dictionary<string, string>
        {
            ["ACK"] = own,
            ["FLUSH_INTERVAL"] = Milliseconds(random.Next(50, 400)),
            ["BATCH_SIZE"] = Number(random.Next(50, 1_000)),
            ["PARTITIONS"] = Number(random.Next(1, 5)),
            ["UPLOAD_QUEUE"] = Number(random.Next(1, 5)),
            ["UPLOAD_CONCURRENCY"] = Number(random.Next(1, 5)),
            ["S3_TIMEOUT"] = Milliseconds(random.Next(300, 900)),
            ["S3_APP_RETRIES"] = Number(random.Next(0, 3)),
            ["STORED_MAX_WAIT"] = Milliseconds(random.Next(50, 500)),
            ["RECOVERY_INTERVAL"] = "100ms",
            ["SHUTDOWN_TIMEOUT"] = "8s",
            // Whether the spool's device syncs is not what SIGKILL can tell.
            ["SPOOL_VOLATILE"] = "true",
        };
        if (random.Next(Rarest) == 0)
        {
            options["CHANNEL_SIZE"] = Number(random.Next(100, 1_000));
        }

        if (random.Next(Rarest) == 0)
        {
            options["BATCH_BYTES"] = Number(random.Next(20_000, 200_000));
        }

        return options;

        static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
