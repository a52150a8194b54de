// The fuzzer's command line.
using System.Globalization;

namespace Estat.Fuzz;

/// <summary>What a run does.</summary>
/// <param name="Seed">From which all cases come.</param>
/// <param name="Duration">How long new cases begin.</param>
/// <param name="Case">This case only, with all that it says; null: a run.</param>
/// <param name="Connections">Cases at once.</param>
internal sealed record FuzzOptions(ulong Seed, TimeSpan Duration, int? Case = null, int Connections = 128)
{
    internal const string Usage = "usage: Estat.Fuzz [--duration 2m] [--seed N] [--case M] [--connections 128]";

    /// <summary>Time that the server has to answer a case and close its connection after the last byte: HEADER_TIMEOUT and BODY_TIMEOUT, the 5 s for
    /// which Kestrel goes on reading what it has refused, KEEPALIVE_TIMEOUT, and as much again for a machine that others use as well.</summary>
    internal TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes that a sound server may hold more of after a long run than after a short one: pools fill and do not shrink when it is over. INFLIGHT_BYTES
    /// (64 MB) of bodies and lines, and as much again as garbage that is not yet collected. A leak of 1 KB a case passes this bound in some minutes.
    /// </summary>
    internal long GrowthAllowed { get; init; } = 128L << 20;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It is wrong.</exception>
    internal static FuzzOptions Parse(string[] args)
    {
        var options = new FuzzOptions((ulong)Random.Shared.Next(1, 1_000_000), TimeSpan.FromMinutes(2));
        if (args.Length % 2 != 0)
        {
            throw new FormatException(Usage);
        }

        for (int i = 0; i < args.Length; i += 2)
        {
            string value = args[i + 1];
            options = args[i] switch
            {
                "--seed" => options with { Seed = ulong.Parse(value, CultureInfo.InvariantCulture) },
                "--duration" => options with { Duration = ParseDuration(value) },
                "--case" => options with { Case = int.Parse(value, CultureInfo.InvariantCulture) },
                "--connections" => options with { Connections = int.Parse(value, CultureInfo.InvariantCulture) },
                _ => throw new FormatException($"{args[i]}? {Usage}"),
            };
        }

        return options;
    }

    private static TimeSpan ParseDuration(string text)
    {
        double number = text.Length > 1 ? double.Parse(text[..^1], CultureInfo.InvariantCulture)
            : throw new FormatException($"{text} is no duration; write 30s or 2m");
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => throw new FormatException($"{text} is no duration; write 30s or 2m"),
        };
    }
}
