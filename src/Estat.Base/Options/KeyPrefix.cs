// What may stand before dt=YYYY-MM-DD/hr=HH/ in a key.
namespace Estat.Base.Options;

/// <summary>The prefixes of a node.</summary>
/// <param name="Raw"><c>RAW_PREFIX</c>.</param>
/// <param name="Dlq"><c>DLQ_PREFIX</c>: the quarantine's.</param>
public sealed record KeyPrefixes(string Raw, string Dlq);

/// <summary>The rules for prefixes of keys, whoever names them: options, write keys, another node.</summary>
public static class KeyPrefix
{
    /// <summary>Prefixes beside <c>RAW_PREFIX</c> that write keys may name together: each in use has a batch of its own, and with it memory, a thread
    /// and a file.</summary>
    public const int Most = 16;

    /// <summary>Of a folder store: what is being written. No part of a key may have its name.</summary>
    public const string TemporaryFolder = ".incomplete";

    // What Linux takes as the name of a folder, bytes: objects may go to one.
    private const int LongestPart = 255;

    /// <summary>What <see cref="IsValid"/> takes.</summary>
    public const string Takes = "a key prefix without leading or trailing slash";

    /// <summary>Whether the text can be a prefix at all.</summary>
    public static bool IsValid(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is > 0 and <= 512 && !text.StartsWith('/') && !text.EndsWith('/') && !text.Contains("//", StringComparison.Ordinal)
            && !text.Split('/').Any(part => part is "." or ".." or TemporaryFolder || part.Length > LongestPart)
                && text.All(c => c is > ' ' and < '\x7f' and not '\\');
    }

    /// <summary>Whether a prefix lies at or below another one.</summary>
    public static bool IsWithin(string prefix, string other)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return prefix == other || prefix.StartsWith(other + "/", StringComparison.Ordinal);
    }

    /// <summary>Why objects of write keys may not lie below the prefix; null when they may. Readers of objects must never meet what is unreadable,
    /// nor the other way round.</summary>
    public static string? WhyNot(string prefix, KeyPrefixes prefixes)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        return !IsValid(prefix) ? $"must be {Takes}"
            : IsWithin(prefixes.Dlq, prefix) || IsWithin(prefix, prefixes.Dlq) ? $"must be a prefix apart from DLQ_PREFIX ({prefixes.Dlq})"
            : null;
    }
}
