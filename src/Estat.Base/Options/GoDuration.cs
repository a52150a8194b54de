// Go-style durations ("3s", "2m", "1h30m", "500ms"): the spelling of every option that is a duration.
using System.Buffers;
using System.Globalization;

namespace Estat.Base.Options;

/// <summary>Parses and prints durations as Go's <c>time.ParseDuration</c> spells them.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>
    /// Parses one or more number+unit pairs; units are <c>ms</c>, <c>s</c>, <c>m</c>, <c>h</c>; a bare <c>0</c> is zero. Negative values and
    /// values past half of <see cref="TimeSpan.MaxValue"/> (14,000 years) do not parse.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
        {
            return true;
        }

        if (text.IsEmpty)
        {
            return false;
        }

        double seconds = 0;
        while (!text.IsEmpty)
        {
            int digits = text.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return false;
            }

            text = text[digits..];
            (double unit, int length) = text switch
            {
                ['m', 's', ..] => (0.001, 2),
                ['s', ..] => (1, 1),
                ['m', ..] => (60, 1),
                ['h', ..] => (3600, 1),
                _ => (0, 0),
            };
            if (length == 0)
            {
                return false;
            }

            seconds += number * unit;
            text = text[length..];
        }

        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)); // FromSeconds truncates: 43ms would lack a tick
        return true;
    }

    /// <summary>Prints the duration in hours, seconds or milliseconds, the largest of them that keeps it whole: <c>24h</c>, <c>120s</c>,
    /// <c>500ms</c>.</summary>
    public static string Format(TimeSpan duration) =>
        duration == TimeSpan.Zero ? "0"
        : duration.Ticks % TimeSpan.TicksPerHour == 0 ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours}h")
        : duration.Ticks % TimeSpan.TicksPerSecond == 0 ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds}s")
        : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms");
}
