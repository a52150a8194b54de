// What became of the events that an EventSender sent.

namespace Estat.Testing;

/// <summary>Each event sent is exactly one of: acknowledged, answered otherwise, or unknown.</summary>
/// <param name="Acknowledged">Numbers of the events that were answered 200 or 202: from here on the server owes them.</param>
/// <param name="Rejected">How many were answered 503: the server does not have them, but perhaps for <see cref="DiskFailures"/>.</param>
/// <param name="Unknown">Numbers of the events whose answer never came, or said that they may be stored: the server may have them.</param>
/// <param name="StatusCounts">How many answers of each status came.</param>
/// <param name="Elapsed">From the first event to the last answer.</param>
public sealed record SendReport(
    IReadOnlySet<long> Acknowledged, long Rejected, IReadOnlyList<long> Unknown, IReadOnlyDictionary<int, long> StatusCounts, TimeSpan Elapsed)
{
    /// <summary>The same by ack level.</summary>
    public IReadOnlyDictionary<string, LevelReport> Levels { get; init; } = new Dictionary<string, LevelReport>();

    /// <summary>How many of the rejected were answered that the disk failed and that they may be stored; they count among the unknown.</summary>
    public long DiskFailures { get; init; }

    /// <summary>Every request in the order in which they were sent; empty unless <see cref="EventSender.Timed"/>.</summary>
    public IReadOnlyList<RequestTime> Times { get; init; } = [];

    /// <summary>Answers of any kind per second.</summary>
    public double AnswersPerSecond => StatusCounts.Values.Sum() / Elapsed.TotalSeconds;

    public override string ToString() =>
        $"{Acknowledged.Count} acknowledged, {Rejected} rejected, {Unknown.Count} unknown in {Elapsed.TotalSeconds:0.0} s "
        + $"({AnswersPerSecond:0} answers/s; "
        + string.Join(", ", StatusCounts.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}: {entry.Value}")) + ")";
}

/// <summary>One request.</summary>
/// <param name="Sent">When, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> has it.</param>
/// <param name="Took">Until its answer came, or was given up.</param>
/// <param name="Late">How long after it was due it was sent: while answers are slow no connection is free, and a client of its own would have
/// waited.</param>
/// <param name="Status">0: no answer came.</param>
/// <param name="Events">Events in it.</param>
public readonly record struct RequestTime(long Sent, TimeSpan Took, TimeSpan Late, int Status, int Events)
{
    /// <summary>When its answer came, or was given up, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> has it.</summary>
    public long Ended => Sent + (long)(Took.TotalSeconds * System.Diagnostics.Stopwatch.Frequency);
}

/// <summary>What became of the events of one ack level: of the acknowledged the level that was reached, of the others the one asked for.</summary>
public sealed class LevelReport
{
    /// <summary>The acknowledged events' numbers, each with the key that its answer named, if it named one.</summary>
    public Dictionary<long, string?> Acknowledged { get; } = [];

    /// <summary>Numbers of the events that were answered with another status.</summary>
    public HashSet<long> Refused { get; } = [];

    /// <summary>Numbers of the events whose answer never came, or said that they may be stored.</summary>
    public HashSet<long> Unknown { get; } = [];

    /// <summary>
    /// Numbers of those among the acknowledged whose answer claimed success at less than what was asked for. Only <c>stored</c> may be answered
    /// with less, and that by 202 and <c>disk</c>.
    /// </summary>
    public HashSet<long> Weaker { get; } = [];
}
