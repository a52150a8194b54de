// Which objects are looked at: a prefix, a range of keys, a range of time.
using System.Globalization;
using Estat.Core.Batching;

namespace Estat.Core.Lake;

/// <summary>
/// A range of the key order, and of events' time. Objects are filed by when their batch opened: an event lies in an object that opened up to <c>FLUSH_INTERVAL</c>
/// before it arrived (<see cref="Lookback"/>), and, when the node was busy, in one that opened moments after (<see cref="Lateness"/>). So a range of time reads
/// more objects than it takes events from; whoever reads them looks at each event's <c>ts</c> as well (<see cref="Holds(long)"/>).
/// </summary>
public sealed record KeyRange
{
    /// <summary>How long after an event's arrival its batch may have opened.</summary>
    public static readonly TimeSpan Lateness = TimeSpan.FromMinutes(5);

    /// <summary>Begins every key.</summary>
    public required string Prefix { get; init; }

    /// <summary>Keys greater than this; null: from the first.</summary>
    public string? AfterKey { get; init; }

    /// <summary>Keys up to and with this; null: to the last.</summary>
    public string? UntilKey { get; init; }

    /// <summary>Events from this time on; null: all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events before this time; null: all.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>How long before an event's arrival its batch may have opened: the longest <c>FLUSH_INTERVAL</c> in use.</summary>
    public TimeSpan Lookback { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Objects opened at or after this time are left out, whatever their events; null: none.</summary>
    public DateTimeOffset? OpenedBefore { get; init; }

    /// <summary>Whether the time of events matters.</summary>
    public bool IsByTime => Since is not null || Until is not null;

    /// <summary>Where a listing begins: after this key; null: at the first.</summary>
    public string? ListAfter
    {
        get
        {
            string? bySince = FirstOpened is { } first && DatesBegin is { } dates ? dates + FolderOf(first) : null;
            return string.CompareOrdinal(AfterKey, bySince) >= 0 ? AfterKey : bySince;
        }
    }

    /// <summary>Whether a key, and all behind it, is past the range.</summary>
    public bool IsPast(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (UntilKey is not null && Storage.KeyOrder.Instance.Compare(key, UntilKey) > 0)
        {
            return true;
        }

        return LastOpened is { } last && DatesBegin is { } dates && key.StartsWith(dates + "dt=", StringComparison.Ordinal)
            && string.CompareOrdinal(key, dates + FolderOf(last) + "~") > 0;
    }

    /// <summary>Whether the object of this key may hold events of the range. A key that tells no time may.</summary>
    public bool MayHold(string key)
    {
        if (ObjectKeys.OpenedOf(ObjectKeys.NameOf(key)) is not { } opened)
        {
            return true;
        }

        return (FirstOpened is not { } first || opened >= first) && (Until is not { } until || opened < until + Lateness)
            && (OpenedBefore is not { } before || opened < before);
    }

    /// <summary>Whether an event of this second is in the range.</summary>
    public bool Holds(long unixSeconds) =>
        (Since is not { } since || unixSeconds >= since.ToUnixTimeSeconds()) && (Until is not { } until || unixSeconds < until.ToUnixTimeSeconds());

    // No batch opened before 1970, however long the lookback.
    private DateTimeOffset? FirstOpened => Since is not { } since ? null
        : Lookback < since - DateTimeOffset.UnixEpoch ? since - Lookback
        : DateTimeOffset.UnixEpoch;

    private DateTimeOffset? LastOpened => Until is { } until
        ? OpenedBefore is { } before && before < until + Lateness ? before : until + Lateness
        : OpenedBefore;

    // Dates follow the prefix at once, or stand in it already: then the prefix decides.
    private string? DatesBegin
    {
        get
        {
            int dates = Prefix.IndexOf("dt=", StringComparison.Ordinal);
            return dates > 0 ? Prefix[..dates] : Prefix.EndsWith('/') || Prefix.Length == 0 ? Prefix : null;
        }
    }

    private static string FolderOf(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"dt={time.UtcDateTime:yyyy-MM-dd}/hr={time.UtcDateTime:HH}/");
}
