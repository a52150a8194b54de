// Which objects are looked at: a prefix, a range of keys, a range of time.
using System.Globalization;
using Estat.Base.Storage;
using Estat.Lake.Names;

namespace Estat.Lake.Reading;

/// <summary>
/// A range of the key order, and of events' time. Objects are filed by when their batch opened: an event lies in an object that opened up to
/// <c>FLUSH_INTERVAL</c>
/// before it arrived (<see cref="Lookback"/>), and, when the node was busy, in one that opened moments after (<see cref="Lateness"/>). So a range of
/// time reads more objects than it takes events from; whoever reads them looks at each event's <c>ts</c> as well (<see cref="Holds(long)"/>).
/// </summary>
public sealed record KeyRange
{
    private const string Day = "dt=";

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

    /// <summary>Whether a key, and all behind it, is past the range.</summary>
    public bool IsPast(string key) => UntilKey is not null && KeyOrder.Instance.Compare(key, UntilKey) > 0;

    /// <summary>
    /// Where a listing that came to this key goes on: behind the days that are out of the range, which cost no more than one question; null: at the
    /// next key. Days may stand below any prefix, and several prefixes below one another: each has its own.
    /// </summary>
    public string? JumpFrom(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        int days = key.LastIndexOf('/' + Day, StringComparison.Ordinal) + 1;
        if (!key.AsSpan(days).StartsWith(Day, StringComparison.Ordinal))
        {
            return null;
        }

        string place = key[..days];
        if (FirstOpened is { } first && place + FolderOf(first) is var from && KeyOrder.Instance.Compare(key, from) < 0)
        {
            return from;
        }

        string end = $"{place}{Day}:"; // the character behind the digits: a prefix may be named dt=eu
        return LastOpened is { } last && KeyOrder.Instance.Compare(key, place + FolderOf(last) + "~") > 0 && KeyOrder.Instance.Compare(key, end) < 0
            ? end : null;
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

    private static string FolderOf(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"{Day}{time.UtcDateTime:yyyy-MM-dd}/hr={time.UtcDateTime:HH}/");
}
