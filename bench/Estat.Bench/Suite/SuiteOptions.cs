// The suite's command line.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Testing;

namespace Estat.Bench.Suite;

/// <summary>What was asked for.</summary>
internal sealed record SuiteOptions
{
    /// <summary>Turns of each contender, of which the median counts.</summary>
    internal int Rounds { get; private init; } = 5;

    /// <summary>How long a turn loads a server.</summary>
    internal TimeSpan Turn { get; private init; } = TimeSpan.FromSeconds(5);

    /// <summary>Parts to run; empty for all.</summary>
    internal IReadOnlyList<string> Only { get; private init; } = [];

    /// <summary>How long <c>growth time</c> runs.</summary>
    internal int Minutes { get; private init; } = 20;

    /// <summary>Of the servers that <c>growth</c> loads, and of the floor beside them.</summary>
    internal SocketMode Sockets { get; private init; } = SocketMode.Pool;

    /// <summary>Estat.Api.dll of another build, which <c>before</c> measures beside this one; null if there is none.</summary>
    internal string? Against { get; private init; }

    internal string Json { get; private init; } = Path.Combine(Repository.Root, "artifacts", "bench", "bench.json");

    internal string Svg { get; private init; } = Path.Combine(Repository.Root, "artifacts", "bench", "bench.svg");

    internal string Html => Path.ChangeExtension(Svg, ".html");

    /// <exception cref="FormatException">It cannot be understood; the message says what is wrong.</exception>
    internal static SuiteOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new SuiteOptions();
        for (int at = 0; at < args.Length; at += 2)
        {
            string value = at + 1 < args.Length ? args[at + 1] : throw new FormatException($"{args[at]} needs a value");
            options = args[at] switch
            {
                "--rounds" => options with { Rounds = Number(args[at], value) },
                "--seconds" => options with { Turn = TimeSpan.FromSeconds(Number(args[at], value)) },
                "--minutes" => options with { Minutes = Number(args[at], value) },
                "--only" => options with { Only = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) },
                "--sockets" => options with { Sockets = SocketModes.Parse(value) },
                "--against" => options with { Against = File.Exists(value) ? value : throw new FormatException(
                    $"{args[at]}: {value} is no file; name the other build's Estat.Api.dll") },
                "--json" => options with { Json = value },
                "--svg" => options with { Svg = value },
                _ => throw new FormatException($"unknown option {args[at]}"),
            };
        }

        return options;
    }

    private static int Number(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{option} takes a whole number above 0, not '{value}'");
}
