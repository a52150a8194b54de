// Numbers and moments as people read them.
using System.Globalization;

namespace Estat.Cli.Frame;

/// <summary>Counts, sizes, durations and moments for lines and tables. What machines read (<c>--json</c>) has plain numbers.</summary>
internal static class Words
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary><c>12,345</c>.</summary>
    internal static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 event</c>, <c>12,345 events</c>.</summary>
    internal static string Count(long number, string one) => Count(number, one, one + "s");

    /// <summary><c>1 batch</c>, <c>12 batches</c>.</summary>
    internal static string Count(long number, string one, string many) => $"{Count(number)} {(number == 1 ? one : many)}";

    /// <summary><c>512 B</c>, <c>1.5 MB</c> (of 1,024 KB).</summary>
    internal static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {Units[unit]}");
    }

    /// <summary><c>3 s</c>, <c>2 min 5 s</c>, <c>3 h 20 min</c>, <c>2 d 4 h</c>.</summary>
    internal static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{(long)Math.Ceiling(time.TotalSeconds)} s",
        { TotalMinutes: < 60 } => $"{time.Minutes} min {time.Seconds} s",
        { TotalHours: < 48 } => $"{(long)time.TotalHours} h {time.Minutes} min",
        _ => $"{(long)time.TotalDays} d {time.Hours} h",
    };

    /// <summary><c>2026-12-24 10:00:00Z</c>.</summary>
    internal static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>0.4 ms</c>, <c>12 ms</c>, <c>1.2 s</c>.</summary>
    internal static string Milliseconds(double milliseconds) => milliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
    };
}
