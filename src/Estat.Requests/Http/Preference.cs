// Prefer: wait=N (RFC 7240).
using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Estat.Requests.Http;

/// <summary>How long a client would wait for a decision.</summary>
internal static class Preference
{
    /// <summary>What waits longest: AWS API Gateway ends a request after 29 s.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(25);

    private const string Wait = "wait=";

    /// <summary>Reads it; zero when there is none, or when it is no number of seconds. Longer waits are cut to <see cref="Longest"/>.</summary>
    internal static TimeSpan ReadWait(StringValues prefer)
    {
        foreach (string? line in prefer)
        {
            foreach (Range part in line.AsSpan().Split(','))
            {
                ReadOnlySpan<char> text = line.AsSpan()[part].Trim();
                if (text.StartsWith(Wait, StringComparison.OrdinalIgnoreCase)
                    && uint.TryParse(text[Wait.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds))
                {
                    return seconds < Longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : Longest;
                }
            }
        }

        return TimeSpan.Zero;
    }
}
