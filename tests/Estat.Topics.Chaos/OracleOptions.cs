// The command line.
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>How long, how much, and what is done to the readings to see the judge find it.</summary>
internal sealed record OracleOptions
{
    internal const string Usage =
        """
        usage: Estat.Topics.Chaos [--duration 5m] [--rate 5000] [--producers 16] [--every 20s] [--patience 5m] [--seed N]
                                  [--sabotage lose,double,swap,bury]
               Estat.Topics.Chaos --outage 10m [--rate 5000] [--producers 16] [--seed N]
          --duration  how long messages are sent while there is trouble
          --rate      messages a second, of all producers together
          --producers each has keys of its own and waits for an answer before it goes on; at least 4
          --every     time between two kills of the server; PostgreSQL is killed every 2.25 times this
          --patience  how long the lag may take to become 0 once the trouble is over
          --seed      what is random comes from it; not what a SIGKILL meets
          --outage    another run: PostgreSQL is away for so long, once, and nothing else happens
          --sabotage  what is done to the readings before they are judged: the run has to fail
        """;

    internal TimeSpan Duration { get; private init; } = TimeSpan.FromMinutes(5);

    internal int Rate { get; private init; } = 5_000;

    internal int Producers { get; private init; } = 16;

    internal TimeSpan Every { get; private init; } = TimeSpan.FromSeconds(20);

    internal TimeSpan Patience { get; private init; } = TimeSpan.FromMinutes(5);

    internal int Seed { get; private init; } = Random.Shared.Next();

    /// <summary>How long PostgreSQL is away in the run of an outage; null: the run of all troubles.</summary>
    internal TimeSpan? Outage { get; private init; }

    internal IReadOnlyList<string> Sabotage { get; private init; } = [];

    internal static OracleOptions Parse(string[] args)
    {
        var options = new OracleOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{args[i]} needs a value");
            options = args[i] switch
            {
                "--duration" => options with { Duration = Time(value) },
                "--rate" => options with { Rate = Number(value) },
                "--producers" => options with { Producers = Math.Max(4, Number(value)) },
                "--every" => options with { Every = Time(value) },
                "--patience" => options with { Patience = Time(value) },
                "--seed" => options with { Seed = Number(value) },
                "--outage" => options with { Outage = Time(value) },
                "--sabotage" => options with { Sabotage = value.Split(',') },
                _ => throw new FormatException($"{args[i]} is no option"),
            };
        }

        return options;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number
            : throw new FormatException($"'{text}' is no positive number");

    private static TimeSpan Time(string text) => text.Length < 2 ? throw new FormatException($"'{text}' is no duration") : text[^1] switch
    {
        's' => TimeSpan.FromSeconds(Number(text[..^1])),
        'm' => TimeSpan.FromMinutes(Number(text[..^1])),
        'h' => TimeSpan.FromHours(Number(text[..^1])),
        _ => throw new FormatException($"'{text}' is no duration such as 30s, 5m or 1h"),
    };
}
