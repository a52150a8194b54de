// The soak's command line.
using System.Globalization;

namespace Estat.Soak;

/// <summary>What a run does.</summary>
/// <param name="Duration">Of all attacks together.</param>
/// <param name="Rate">Events a second that the honest client sends.</param>
/// <param name="Group">The control group that the server is put into, as a folder; null: none.</param>
/// <param name="Files">Files that the server may open (<c>ulimit -n</c>); null: what this process may.</param>
/// <param name="Only">The attack with this name alone; null: all.</param>
/// <param name="App">A folder with another Estat.Api.dll; null: this build's.</param>
internal sealed record SoakOptions(
    TimeSpan Duration, int Rate = 1000, string? Group = null, int? Files = null, string? Only = null, string? App = null)
{
    private const string Usage =
        "usage: Estat.Soak [--duration 5m] [--rate 1000] [--group FOLDER] [--files 1024] [--only ATTACK] [--app FOLDER] [NAME=VALUE…]";

    /// <summary>The server's own options, or the runtime's.</summary>
    internal IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>How much slower the honest client's slowest hundredth may be under attack than before it.</summary>
    internal double WorstSlowdown { get; init; } = 10;

    /// <summary>How much more memory the server may hold afterwards than before.</summary>
    internal double WorstGrowth { get; init; } = 1.2;

    /// <summary>The time before the attacks: what they are compared with.</summary>
    internal TimeSpan Before => TimeSpan.FromSeconds(Math.Clamp(Duration.TotalSeconds / 10, 1, 30));

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It is wrong.</exception>
    internal static SoakOptions Parse(string[] args)
    {
        var options = new SoakOptions(TimeSpan.FromMinutes(5)) { Environment = [.. args.Where(IsVariable)] };
        args = [.. args.Where(arg => !IsVariable(arg))];
        if (args.Length % 2 != 0)
        {
            throw new FormatException(Usage);
        }

        for (int i = 0; i < args.Length; i += 2)
        {
            string value = args[i + 1];
            options = args[i] switch
            {
                "--duration" => options with { Duration = ParseDuration(value) },
                "--rate" => options with { Rate = int.Parse(value, CultureInfo.InvariantCulture) },
                "--group" => options with { Group = value },
                "--files" => options with { Files = int.Parse(value, CultureInfo.InvariantCulture) },
                "--only" => options with { Only = value },
                "--app" => options with { App = value },
                _ => throw new FormatException($"{args[i]}? {Usage}"),
            };
        }

        return options;
    }

    private static bool IsVariable(string arg) => arg.Contains('=', StringComparison.Ordinal) && !arg.StartsWith('-');

    private static TimeSpan ParseDuration(string text)
    {
        double number = text.Length > 1 && double.TryParse(text[..^1], CultureInfo.InvariantCulture, out double value) ? value : 0;
        return text[^1..] switch
        {
            "s" when number > 0 => TimeSpan.FromSeconds(number),
            "m" when number > 0 => TimeSpan.FromMinutes(number),
            _ => throw new FormatException($"{text} is no duration; write 30s or 5m"),
        };
    }
}
