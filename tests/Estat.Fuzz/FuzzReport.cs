// What a run counts, and how it tells people.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Estat.Fuzz.Judging;
using Estat.Fuzz.Wire;

namespace Estat.Fuzz;

/// <summary>Counters of a run; safe for concurrent use.</summary>
internal sealed class FuzzReport
{
    private const int ShownBytes = 2000;
    private readonly ConcurrentDictionary<string, long> _families = new();
    private readonly ConcurrentDictionary<string, long> _outcomes = new();
    private long _cases;
    private long _answers;
    private long _canaryRefusals;
    private long _slowest;

    internal long Cases => Interlocked.Read(ref _cases);

    internal long Answers => Interlocked.Read(ref _answers);

    internal void Count(FuzzCase fuzzCase, Exchange exchange, Verdict verdict, int canaryRefusals)
    {
        Interlocked.Increment(ref _cases);
        Interlocked.Add(ref _answers, verdict.Answers.Count);
        Interlocked.Add(ref _canaryRefusals, canaryRefusals);
        _families.AddOrUpdate(fuzzCase.Family, 1, (_, count) => count + 1);
        foreach (Answer answer in verdict.Answers)
        {
            _outcomes.AddOrUpdate(answer.Status.ToString(CultureInfo.InvariantCulture), 1, (_, count) => count + 1);
        }

        if (verdict.Answers.Count == 0)
        {
            string how = exchange.End == ExchangeEnd.ByClient ? "left without an answer by the client" : "closed without an answer by the server";
            _outcomes.AddOrUpdate(how, 1, (_, count) => count + 1);
        }

        long took = (long)exchange.Took.TotalMilliseconds;
        for (long slowest; took > (slowest = Interlocked.Read(ref _slowest));)
        {
            Interlocked.CompareExchange(ref _slowest, took, slowest);
        }
    }

    internal string Summary(TimeSpan elapsed, Obligations obligations, ServerWatch watch)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Cases} cases in {elapsed.TotalSeconds:0} s ({Cases / elapsed.TotalSeconds:0}/s), {Answers} "
            + $"answers, the slowest case took {_slowest / 1000.0:0.0} s");
        text.AppendLine(CultureInfo.InvariantCulture, $"{obligations.Acknowledged} events acknowledged, {obligations.Stored} stored; {Cases} "
            + $"canaries, {_canaryRefusals} sent again after a 503 or on a new connection");
        text.AppendLine(CultureInfo.InvariantCulture, $"{watch.HealthChecks} health checks, the slowest took "
            + $"{watch.SlowestHealth.TotalMilliseconds:0} ms; at most {watch.MostResidentBytes >> 20} MB resident");
        Table(text, "answers by status", _outcomes);
        Table(text, "cases by family", _families);
        return text.ToString();
    }

    /// <summary>A case as people can read it: how it was sent, its bytes as text and hex, shortened, and how to see it again.</summary>
    internal static string Describe(ulong seed, FuzzCase fuzzCase)
    {
        Delivery delivery = fuzzCase.Delivery;
        return string.Create(CultureInfo.InvariantCulture, $"""
            case {fuzzCase.Number} of seed {seed}: {fuzzCase.Family}, {delivery.End} of {fuzzCase.Bytes.Length} bytes in {delivery.Cuts.Count + 1} pieces, then {delivery.Ending}
            {Text(fuzzCase.Bytes.AsSpan(0, delivery.End))}
            hex: {Hex(fuzzCase.Bytes.AsSpan(0, delivery.End))}
            replay: make fuzz SEED={seed} CASE={fuzzCase.Number}
            """);
    }

    internal static string Text(ReadOnlySpan<byte> bytes, int most = ShownBytes)
    {
        var text = new StringBuilder();
        foreach (byte value in bytes[..Math.Min(most, bytes.Length)])
        {
            _ = value switch
            {
                (byte)'\r' => text.Append("\\r"),
                (byte)'\n' => text.Append("\\n\n"),
                (byte)'\\' => text.Append("\\\\"),
                >= 32 and < 127 => text.Append((char)value),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}"),
            };
        }

        return text.Append(bytes.Length > most ? $"… and {bytes.Length - most} bytes more" : "").ToString();
    }

    private static string Hex(ReadOnlySpan<byte> bytes) =>
        Convert.ToHexStringLower(bytes[..Math.Min(ShownBytes / 4, bytes.Length)]) + (bytes.Length > ShownBytes / 4 ? "…" : "");

    private static void Table(StringBuilder text, string title, IReadOnlyDictionary<string, long> counts)
    {
        text.AppendLine(title);
        foreach ((string name, long count) in counts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {name,-40} {count,9}");
        }
    }
}
