// The charset that a Content-Type names: bodies in another one than UTF-8 become UTF-8 before they are stored.
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Bodies;

/// <summary>
/// Finds charsets by the names that browsers and proxies give them. What a text does not hold by its charset becomes U+FFFD, as in UTF-8.
/// </summary>
internal static class Charset
{
    private const string Parameter = "charset=";
    private static readonly DecoderReplacementFallback Replacement = new("\uFFFD");
    private static readonly EncodingProvider CodePages = CodePagesEncodingProvider.Instance;

    /// <summary>UTF-8 without a byte order mark.</summary>
    internal static Encoding Utf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Whether a Content-Type names a charset that is not UTF-8, nor ASCII, which is part of it. Nearly none does.</summary>
    internal static bool IsForeign(StringValues contentType) =>
        contentType.Count > 0 && NameIn(contentType[0]) is { IsEmpty: false } name && !IsUtf8(name);

    /// <summary>The charset of a byte order mark, else the one that a Content-Type names; null if it is not known here.</summary>
    internal static Encoding? Of(StringValues contentType, (string Charset, int Length)? mark = null) =>
        Named(mark?.Charset ?? NameIn(contentType[0]).ToString());

    private static Encoding? Named(string name)
    {
        name = name.ToLowerInvariant() switch
        {
            // As browsers read it: what is called EUC-KR may hold all of Unified Hangul.
            "euc-kr" or "cp949" or "ms949" or "uhc" or "windows-949" => "ks_c_5601-1987",
            "sjis" or "cp932" or "windows-31j" => "shift_jis",
            "latin-1" => "iso-8859-1",
            var other => other,
        };
        try
        {
            return CodePages.GetEncoding(name, EncoderFallback.ReplacementFallback, Replacement)
                ?? Encoding.GetEncoding(name, EncoderFallback.ReplacementFallback, Replacement);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static bool IsUtf8(ReadOnlySpan<char> name) => name.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        || name.Equals("utf8", StringComparison.OrdinalIgnoreCase) || name.Equals("utf_8", StringComparison.OrdinalIgnoreCase)
        || name.Equals("utf8mb4", StringComparison.OrdinalIgnoreCase) || name.Equals("us-ascii", StringComparison.OrdinalIgnoreCase)
        || name.Equals("ascii", StringComparison.OrdinalIgnoreCase) || name.Equals("binary", StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> NameIn(ReadOnlySpan<char> contentType)
    {
        int at;
        while ((at = contentType.IndexOf(';')) >= 0)
        {
            contentType = contentType[(at + 1)..].TrimStart();
            if (contentType.StartsWith(Parameter, StringComparison.OrdinalIgnoreCase))
            {
                ReadOnlySpan<char> value = contentType[Parameter.Length..];
                int end = value.IndexOf(';');
                return (end < 0 ? value : value[..end]).Trim().Trim("\"'").Trim();
            }
        }

        return default;
    }
}
