// What is sent, and what came of it.
using System.Globalization;
using Estat.Cli.Frame;

namespace Estat.Cli.Bench;

/// <summary>The load.</summary>
/// <param name="Connections">Requests at once.</param>
/// <param name="Time">How long it is measured.</param>
/// <param name="Rate">Requests a second; null for a closed loop.</param>
/// <param name="EventBytes">Bytes of an event.</param>
/// <param name="Batch">Events in a request.</param>
/// <param name="Ack">Ack level; null for the node's own.</param>
internal sealed record BenchLoad(int Connections, TimeSpan Time, double? Rate, int EventBytes, int Batch, string? Ack);

/// <summary>The measured part; the warm-up is not in it.</summary>
internal sealed record BenchResult
{
    /// <summary>Events acknowledged.</summary>
    public required long Taken { get; init; }

    /// <summary>Requests answered 429 or 503.</summary>
    public required long Refused { get; init; }

    /// <summary>Requests answered otherwise, or not at all.</summary>
    public required long Failed { get; init; }

    /// <summary>Seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Milliseconds at the percentiles.</summary>
    public required double P50 { get; init; }

    /// <inheritdoc cref="P50"/>
    public required double P90 { get; init; }

    /// <inheritdoc cref="P50"/>
    public required double P99 { get; init; }

    /// <inheritdoc cref="P50"/>
    public required double Slowest { get; init; }

    /// <summary>CPUs that this program kept busy.</summary>
    public required double OwnCpus { get; init; }

    /// <summary>The first answer that was neither a success nor a refusal.</summary>
    public string? FirstFailure { get; init; }

    internal string ToText() => string.Join('\n',
    [
        $"events     {Words.Count((long)(Taken / Seconds))}/s ({Words.Count(Taken)} acknowledged in "
            + $"{Seconds.ToString("0.0", CultureInfo.InvariantCulture)} s)",
        $"latency    p50 {Words.Milliseconds(P50)}, p90 {Words.Milliseconds(P90)}, p99 {Words.Milliseconds(P99)}, slowest "
            + $"{Words.Milliseconds(Slowest)}",
        $"requests   {Words.Count(Refused)} refused (429, 503), {Words.Count(Failed)} "
            + $"failed{(FirstFailure is null ? "" : $": {Shell.Printable(FirstFailure)}")}",
    ]);

    internal string ToJson() => JsonLine.Of(json =>
    {
        json.WriteNumber("events_per_s", Math.Round(Taken / Seconds, 1));
        json.WriteNumber("events", Taken);
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.WriteNumber("p50_ms", Math.Round(P50, 3));
        json.WriteNumber("p90_ms", Math.Round(P90, 3));
        json.WriteNumber("p99_ms", Math.Round(P99, 3));
        json.WriteNumber("slowest_ms", Math.Round(Slowest, 3));
        json.WriteNumber("refused", Refused);
        json.WriteNumber("failed", Failed);
        json.WriteNumber("own_cpus", Math.Round(OwnCpus, 2));
    });
}
