// Times on a command line: 2026-11-21, 2026-11-21T10:00:00Z, 24h.
using Estat.Base.Options;

namespace Estat.Lake.Reading;

/// <summary>A moment (<see cref="MomentText"/>), or how long ago it was.</summary>
public static class TimeText
{
    /// <summary>What it takes, for messages.</summary>
    public const string Takes = "a date (2026-11-21), a time (2026-11-21T10:00, UTC, or 2026-11-21T10:00:00+09:00) or how long ago (90m, 24h)";

    /// <summary>Null when it is no time. What was before 1970 is 1970: there are no events from before.</summary>
    public static DateTimeOffset? TryParse(string text, DateTimeOffset now) =>
        !GoDuration.TryParse(text, out TimeSpan ago) ? MomentText.TryParse(text)
        : ago < now - DateTimeOffset.UnixEpoch ? now - ago
        : DateTimeOffset.UnixEpoch;
}
