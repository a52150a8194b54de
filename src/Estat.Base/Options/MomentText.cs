// Moments as people write them, 2026-11-21 or 2026-11-21T10:00:00Z, and as answers and lines have them.
using System.Globalization;

namespace Estat.Base.Options;

/// <summary>
/// Exact forms alone, the year first: 01/02/2027 is two days, and 10:00 another moment every day. What names no zone is UTC.
/// </summary>
public static class MomentText
{
    /// <summary>What <see cref="ToText"/> writes, and how long that is.</summary>
    public const string Written = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <inheritdoc cref="Written"/>
    public const int WrittenLength = 24;

    // Hours and days can be taken from and added to whatever lies within.
    private const int FirstYear = 1970;
    private const int LastYear = 9998;

    private static readonly DateTimeOffset Latest = new(LastYear, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd'T'HHK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    /// <summary>As machines write them: RFC 3339, in UTC, to the millisecond.</summary>
    /// <param name="time">The moment.</param>
    public static string ToText(DateTimeOffset time) => time.UtcDateTime.ToString(Written, CultureInfo.InvariantCulture);

    /// <summary>In UTC; null when it is none, or before 1970. What lies behind 9998, as "never" is often written, is the end of that year.</summary>
    public static DateTimeOffset? TryParse(string text) =>
        DateTimeOffset.TryParseExact(
            text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            && time.Year >= FirstYear
            ? time.Year <= LastYear ? time : Latest
            : null;
}
