// Times on a command line: 2026-11-21, 2026-11-21T10:00:00Z, 24h.
using System.Globalization;
using Estat.Core.Options;

namespace Estat.Core.Lake;

/// <summary>One parser for all of them. What names no zone is UTC.</summary>
public static class TimeText
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd'T'HHK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    /// <summary>What it takes, for messages.</summary>
    public const string Takes = "a date (2026-11-21), a time (2026-11-21T10:00, UTC, or 2026-11-21T10:00:00+09:00) or how long ago (90m, 24h)";

    /// <summary>Null when it is no time.</summary>
    public static DateTimeOffset? TryParse(string text, DateTimeOffset now)
    {
        if (GoDuration.TryParse(text, out TimeSpan ago))
        {
            return now - ago;
        }

        return DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time
            : null;
    }
}
