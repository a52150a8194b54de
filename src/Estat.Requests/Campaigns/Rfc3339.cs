// Times as the API has them.
using System.Globalization;
using Estat.Base.Options;

namespace Estat.Requests.Campaigns;

/// <summary>In: RFC 3339 with an offset. Out: UTC with milliseconds and a Z.</summary>
internal static class Rfc3339
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.fK", "yyyy-MM-dd'T'HH:mm:ss.ffK", "yyyy-MM-dd'T'HH:mm:ss.fffK",
        "yyyy-MM-dd'T'HH:mm:ss.ffffffK",
    ];

    /// <summary>As an answer shows it.</summary>
    internal static string ToText(DateTimeOffset moment) => MomentText.ToText(moment);

    /// <summary>The same of milliseconds since 1970.</summary>
    internal static string ToText(long milliseconds) => ToText(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));

    /// <summary>Reads one; null when it is none, or has no offset. Cut to whole milliseconds.</summary>
    internal static DateTimeOffset? Parse(string? text) =>
        text is not null && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > "yyyy-MM-dd".Length)
        && DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset moment)
            ? DateTimeOffset.FromUnixTimeMilliseconds(moment.ToUnixTimeMilliseconds())
            : null;
}
