// The oracle: every acknowledged event is an obligation, and what is stored shows which were met.

using System.Globalization;
using System.Text;

namespace Estat.Testing;

/// <summary>Compares the numbers of acknowledged events with the numbers found in storage.</summary>
/// <param name="Lost">Acknowledged and not found. Must be empty, always.</param>
/// <param name="Duplicated">Found more than once, acknowledged or not.</param>
/// <param name="FoundOnce">How many of the acknowledged were found exactly once.</param>
/// <param name="NeverAcknowledged">Found and not acknowledged: allowed where an answer was lost, wrong where it was a rejection.</param>
public sealed record Audit(IReadOnlyList<long> Lost, IReadOnlyList<long> Duplicated, long FoundOnce, IReadOnlyList<long> NeverAcknowledged)
{
    private const int Shown = 10;

    /// <summary>Whether every acknowledged event was found exactly once and no other was found twice.</summary>
    public bool Clean => Lost.Count == 0 && Duplicated.Count == 0;

    /// <summary>Compares.</summary>
    /// <param name="acknowledged">Numbers of the events whose acceptance was answered.</param>
    /// <param name="stored">The number of each stored event, repeated as often as it is stored.</param>
    public static Audit Of(IEnumerable<long> acknowledged, IEnumerable<long> stored)
    {
        ArgumentNullException.ThrowIfNull(acknowledged);
        ArgumentNullException.ThrowIfNull(stored);
        var times = new Dictionary<long, int>();
        foreach (var number in stored)
        {
            times[number] = times.GetValueOrDefault(number) + 1;
        }

        var owed = acknowledged as IReadOnlySet<long> ?? acknowledged.ToHashSet();
        return new Audit(
            [.. owed.Where(number => !times.ContainsKey(number)).Order()],
            [.. times.Where(entry => entry.Value > 1).Select(entry => entry.Key).Order()],
            owed.LongCount(number => times.GetValueOrDefault(number) == 1),
            [.. times.Keys.Where(number => !owed.Contains(number)).Order()]);
    }

    /// <summary>Compares with what was read back; an event that <see cref="EventSender"/> did not send is ignored.</summary>
    public static Audit Of(SendReport report, IEnumerable<StoredEvent> stored)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Of(report.Acknowledged, stored.Select(e => EventSender.NumberOf(e.Body)).OfType<long>());
    }

    /// <summary>
    /// The same for each ack level: the acknowledged are those of the level, and what was found counts for the level that it was acknowledged at,
    /// or, if it never was, for the one that it asked for.
    /// </summary>
    public static IReadOnlyDictionary<string, LevelAudit> ByLevel(SendReport report, IReadOnlyCollection<FoundEvent> found)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(found);
        return report.Levels.ToDictionary(level => level.Key, level => LevelAudit.Of(level.Value, found));
    }

    public override string ToString() => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"{FoundOnce} found once")
        .Append(CultureInfo.InvariantCulture, $", {Lost.Count} lost{Some(Lost)}")
        .Append(CultureInfo.InvariantCulture, $", {Duplicated.Count} duplicated{Some(Duplicated)}")
        .Append(CultureInfo.InvariantCulture, $", {NeverAcknowledged.Count} stored but never acknowledged{Some(NeverAcknowledged)}")
        .ToString();

    private static string Some(IReadOnlyList<long> numbers) =>
        numbers.Count == 0 ? "" : $" ({string.Join(", ", numbers.Take(Shown))}{(numbers.Count > Shown ? ", …" : "")})";
}

/// <summary>What became of the events of one ack level.</summary>
/// <param name="Acknowledged">How many were acknowledged.</param>
/// <param name="Numbers">Whether they were found, and how often.</param>
/// <param name="RefusedButFound">Found, though answered otherwise than 200 or 202, and not that it may be stored. Wrong.</param>
/// <param name="Elsewhere">Found once, but not in the object that the answer named, nor in the rest of it.</param>
/// <param name="Weaker">Answered 200 at less than what was asked for.</param>
public sealed record LevelAudit(
    long Acknowledged, Audit Numbers, IReadOnlyList<long> RefusedButFound, IReadOnlyList<long> Elsewhere, IReadOnlyList<long> Weaker)
{
    private const string Extension = ".jsonl.gz";
    private const string Rest = "_rest";

    internal static LevelAudit Of(LevelReport level, IReadOnlyCollection<FoundEvent> found)
    {
        var own = found
            .Where(e => level.Acknowledged.ContainsKey(e.Number) || level.Unknown.Contains(e.Number) || level.Refused.Contains(e.Number))
            .ToList();
        return new LevelAudit(
            level.Acknowledged.Count,
            Audit.Of(level.Acknowledged.Keys, own.Select(e => e.Number)),
            [.. own.Where(e => level.Refused.Contains(e.Number)).Select(e => e.Number).Distinct().Order()],
            [.. own.Where(e => level.Acknowledged.GetValueOrDefault(e.Number) is { } key && !IsOf(e, key)).Select(e => e.Number).Distinct().Order()],
            [.. level.Weaker.Order()]);
    }

    // Events that are taken together may be divided between two batches; the answer names both then.
    private static bool IsOf(FoundEvent found, string keys) =>
        found.Place != FoundPlace.Raw || found.Key == keys || keys.Split(',', StringSplitOptions.TrimEntries).Any(key => IsOfOne(found, key));

    private static bool IsOfOne(FoundEvent found, string key) =>
        found.Key == key
        || (key.EndsWith(Extension, StringComparison.Ordinal) && found.Key.StartsWith(key[..^Extension.Length] + Rest, StringComparison.Ordinal));
}
