// The command line.

using System.Globalization;

namespace Estat.Chaos;

/// <summary>What to run, and for how long.</summary>
internal sealed record ChaosOptions
{
    internal const string Usage =
        """
        usage: Estat.Chaos [--duration 5m] [--seed N] [--level LEVEL] [--scenario NAME[,NAME…]] [--round N] [--sabotage KIND[,KIND…]] [--list]
          --duration   rounds begin until then: 30s, 5m, 1h
          --seed       everything random comes from it; without it, a new one is drawn and printed
          --level      memory, disk, stored or mixed; without it, all that the server offers take turns
          --scenario   only these take turns; --list names them
          --round      this round alone, as it was in a run with the same seed, level and scenario
          --sabotage   lose, double, rewrite: takes an object away, stores one a second time, writes one again under its key, each another one, before
                       each audit: the run has to fail
        """;

    internal TimeSpan Duration { get; private init; } = TimeSpan.FromMinutes(5);

    internal int Seed { get; private init; } = Random.Shared.Next();

    /// <summary>Null: all levels.</summary>
    internal string? Level { get; private init; }

    /// <summary>Empty: all scenarios.</summary>
    internal IReadOnlyList<string> Scenarios { get; private init; } = [];

    /// <summary>Null: one round after the other.</summary>
    internal int? Round { get; private init; }

    /// <summary>What is done to the store before each audit. Empty: nothing.</summary>
    internal IReadOnlyList<string> Sabotage { get; private init; } = [];

    internal bool List { get; private init; }

    /// <summary>Reads the arguments; an empty value counts as not given, so that make can pass what it has.</summary>
    /// <exception cref="FormatException">They make no sense; the message says why.</exception>
    internal static ChaosOptions Parse(IReadOnlyList<string> args)
    {
        var options = new ChaosOptions();
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--list")
            {
                options = options with { List = true };
                continue;
            }

            var value = i + 1 < args.Count ? args[i + 1] : throw new FormatException($"{args[i]} needs a value");
            options = value.Length == 0 ? options : options.With(args[i], value);
            i++;
        }

        return options;
    }

    private ChaosOptions With(string name, string value) => name switch
    {
        "--duration" => this with { Duration = DurationOf(value) },
        "--seed" => this with { Seed = NumberOf(name, value) },
        "--round" => this with { Round = NumberOf(name, value) },
        "--level" when Levels.Names.Contains(value) => this with { Level = value },
        "--level" => throw new FormatException($"--level takes {string.Join(", ", Levels.Names)}, not '{value}'"),
        "--scenario" => this with { Scenarios = ListOf(value) },
        "--sabotage" when ListOf(value) is var kinds && kinds.All(kind => kind is "lose" or "double" or "rewrite") => this with { Sabotage = kinds },
        "--sabotage" => throw new FormatException($"--sabotage takes lose, double, rewrite or some of them, not '{value}'"),
        _ => throw new FormatException($"unknown option {name}"),
    };

    /// <summary>How make runs one round of this run again.</summary>
    internal string Replay(int round) =>
        $"make chaos SEED={Seed} ROUND={round}{(Level is null ? "" : $" LEVEL={Level}")}"
        + (Scenarios.Count == 0 ? "" : $" SCENARIO={string.Join(',', Scenarios)}");

    private static string[] ListOf(string value) => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static int NumberOf(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{name} takes a whole number, not '{value}'");

    private static TimeSpan DurationOf(string value) =>
        double.TryParse(value[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? value[^1] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                _ => throw new FormatException($"--duration takes 30s, 5m or 1h, not '{value}'"),
            }
            : throw new FormatException($"--duration takes 30s, 5m or 1h, not '{value}'");
}
