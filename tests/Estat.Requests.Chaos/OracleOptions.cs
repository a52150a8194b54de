// The command line.
using System.Globalization;

namespace Estat.Requests.Chaos;

/// <summary>How many users, how long, and what is done to the result to see the judge find it.</summary>
internal sealed record OracleOptions
{
    internal const string Usage =
        """
        usage: Estat.Requests.Chaos [--users 100000] [--every 5s] [--senders 64] [--seed N] [--campaigns sale,prize,hook,rush]
                                    [--store sqlite|dynamodb] [--sabotage lose|double|swap]
               Estat.Requests.Chaos --backup 1000000 [--senders 64] [--sabotage lose|double|outcome]
          --users     each takes part in every campaign, in some order
          --every     time between two disturbances
          --senders   connections
          --seed      what is random comes from it
          --campaigns which of the four: first come, draw, webhook, first come that closes in the middle of it all
          --store     sqlite: one server, killed with SIGKILL. dynamodb: two servers over one local DynamoDB, which are killed and stopped, while
                      DynamoDB refuses, loses answers, and is away
          --backup    another run: a store of so many requests is backed up while more come, is lost, is restored, and goes on
          --sabotage  what is done to the readings before they are judged: the run has to fail
        """;

    internal int Users { get; private init; } = 100_000;

    internal TimeSpan Every { get; private init; } = TimeSpan.FromSeconds(5);

    internal int Senders { get; private init; } = 64;

    internal int Seed { get; private init; } = Random.Shared.Next();

    internal IReadOnlyList<string> Campaigns { get; private init; } = ["sale", "prize", "hook", "rush"];

    internal string Store { get; private init; } = "sqlite";

    /// <summary>Requests of the run of a backup; null: the run of disturbances.</summary>
    internal int? Backup { get; private init; }

    internal string? Sabotage { get; private init; }

    internal static OracleOptions Parse(string[] args)
    {
        var options = new OracleOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{args[i]} needs a value");
            options = args[i] switch
            {
                "--users" => options with { Users = Number(value) },
                "--every" => options with { Every = TimeSpan.FromSeconds(Number(value.TrimEnd('s'))) },
                "--senders" => options with { Senders = Number(value) },
                "--seed" => options with { Seed = Number(value) },
                "--campaigns" => options with { Campaigns = value.Split(',') },
                "--store" => options with
                {
                    Store = value is "sqlite" or "dynamodb" ? value : throw new FormatException($"--store {value} is unknown"),
                },
                "--backup" => options with { Backup = Number(value) },
                "--sabotage" => options with { Sabotage = value },
                _ => throw new FormatException($"{args[i]} is no option"),
            };
        }

        return options;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number
            : throw new FormatException($"'{text}' is no positive number");
}
