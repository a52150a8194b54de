// Which pages may send: origins of CORS_ORIGINS and of write keys, in the form in which browsers write them.
using System.Buffers;
using System.Globalization;

namespace Estat.Base.Options;

/// <summary>
/// A list of origins. What a browser would write in another way is brought into its way when it is read (lower case, no default port, punycode), so
/// that no entry can never match. Never changes.
/// </summary>
public sealed class PageOrigins
{
    /// <summary>Says what <see cref="Parse"/> takes.</summary>
    public const string Takes =
        "such as https://shop.example, https://*.shop.example, capacitor://localhost or null (pages of no origin), without a path";

    private const string Any = "*";
    private const string None = "null";
    private const string Subdomains = "*.";
    private const int Longest = 512;

    // Pages of these have no origin, or it is never in a request.
    private static readonly string[] Without = ["file", "ftp", "ws", "wss", "data", "blob", "about", "javascript", "mailto"];

    // Never in a host or its port.
    private static readonly SearchValues<char> NoHost = SearchValues.Create(" /?#@\\%\"");

    private readonly HashSet<string> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Before, string After)> _subdomains = [];

    /// <param name="origins">As <see cref="Parse"/> gave them; <c>*</c> is all.</param>
    public PageOrigins(IEnumerable<string> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        foreach (string origin in origins)
        {
            int star = origin.IndexOf("://" + Subdomains, StringComparison.Ordinal);
            IsAny |= origin == Any;
            if (star < 0)
            {
                _exact.Add(origin);
            }
            else
            {
                _subdomains.Add((origin[..(star + 3)], origin[(star + 4)..]));
            }
        }
    }

    /// <summary>Whether pages of any origin may send.</summary>
    public bool IsAny { get; }

    /// <summary>Whether pages of an origin, as a request names it, may send.</summary>
    public bool Allows(string origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        // A browser writes its origins in visible ASCII. Anything else could not be named back in a header of the answer.
        return origin.Length is > 0 and <= Longest && !origin.AsSpan().ContainsAnyExceptInRange('!', '~')
            && (IsAny || _exact.Contains(origin) || (_subdomains.Count > 0 && IsSubdomain(origin)));
    }

    /// <summary>An origin, or <c>https://*.shop.example</c> for those below it, as a browser writes it; null if no browser sends one such.</summary>
    public static string? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int end = text.IndexOf("://", StringComparison.Ordinal);
        if (text is Any or None || end <= 0)
        {
            return text is Any or None ? text : null;
        }

        string scheme = text[..end].ToLowerInvariant();
        string authority = text[(end + 3)..];
        bool isScheme = char.IsAsciiLetter(scheme[0]) && scheme.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.')
            && !Without.Contains(scheme);
        return !isScheme || authority.Length == 0 || authority.AsSpan().ContainsAny(NoHost) ? null
            : scheme is "http" or "https" ? ParseWeb(scheme, authority)
            : authority.All(c => c is > ' ' and < '\x7f' and not '*') ? $"{scheme}://{authority.ToLowerInvariant()}"
            : null;
    }

    private static string? ParseWeb(string scheme, string authority)
    {
        bool isPattern = authority.StartsWith(Subdomains, StringComparison.Ordinal);
        string host = isPattern ? authority[Subdomains.Length..] : authority;
        string? port = null;
        if (host.LastIndexOf(':') is >= 0 and var colon && colon > host.LastIndexOf(']'))
        {
            port = host[(colon + 1)..];
            host = host[..colon];
        }

        if (ToAscii(host) is not { Length: > 0 } ascii
            || (port is not null && !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            || !Uri.TryCreate($"{scheme}://{ascii}{(port is null ? "" : ":" + port)}", UriKind.Absolute, out Uri? url) || url.Host.Length == 0)
        {
            return null;
        }

        bool isName = url.HostNameType == UriHostNameType.Dns;
        bool isSound = isName ? IsName(url.Host) : !isPattern;
        return isSound && (!isPattern || url.Host.Contains('.', StringComparison.Ordinal))
            ? $"{scheme}://{(isPattern ? Subdomains : "")}{url.Host}{(url.IsDefaultPort ? "" : $":{url.Port}")}"
            : null;
    }

    // Browsers read a name whose last part is a number as an IPv4 address, or not at all.
    private static bool IsName(string host) =>
        host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && !host.TrimEnd('.').Split('.')[^1].All(char.IsAsciiDigit);

    // Punycode, without the tables of ICU, which the images do not have: it cannot compose characters, and what is not composed is refused.
    private static string? ToAscii(string host)
    {
        string lower = host.ToLowerInvariant();
        if (lower.All(char.IsAscii))
        {
            return lower;
        }

        bool isComposed = lower.All(c => c is not (>= '\u1100' and <= '\u11FF') and not (>= '\uFF00' and <= '\uFFEF')
            && CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark));
        try
        {
            return isComposed ? new IdnMapping().GetAscii(lower) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private bool IsSubdomain(string origin)
    {
        foreach ((string before, string after) in _subdomains)
        {
            if (origin.Length > before.Length + after.Length && origin.StartsWith(before, StringComparison.OrdinalIgnoreCase)
                && origin.EndsWith(after, StringComparison.OrdinalIgnoreCase)
                && !origin.AsSpan(before.Length, origin.Length - before.Length - after.Length).ContainsAny("/:@[]"))
            {
                return true;
            }
        }

        return false;
    }
}
