// Stored headers have a bound: what a client sends once with a batch stands in every line of it.
using System.Buffers;
using System.Text;

namespace Estat.Collect.Intake;

/// <summary>Cuts header text by the bytes that it takes in a line, between characters.</summary>
internal static class HeaderText
{
    /// <summary>A <c>User-Agent</c>: those of browsers have some 130 bytes, of apps around a browser some 500.</summary>
    internal const int LongestUserAgent = 1024;

    /// <summary>An <c>Idempotency-Key</c>: a UUID has 36 bytes.</summary>
    internal const int LongestId = 1024;

    /// <summary>A <c>Cookie</c>, stored with <c>CAPTURE_COOKIE</c> alone: browsers take up to 4 KB for one, a large site sends several.</summary>
    internal const int LongestCookie = 8192;

    private const int LongestEscape = 6; // \u001f
    private const int Replacement = 3; // U+FFFD

    // Characters that take a byte each.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        [.. Enumerable.Range(' ', 0x7F - ' ').Select(c => (char)c).Where(c => c is not '"' and not '\\')]);

    /// <summary>The text, or as much of it as takes no more than so many bytes of a line.</summary>
    /// <param name="text">Bytes as characters (Latin-1), as Kestrel gives headers here.</param>
    /// <param name="most">Bytes as written: escaped, and with U+FFFD for what is no UTF-8.</param>
    internal static ReadOnlySpan<char> Cut(ReadOnlySpan<char> text, int most) =>
        text.Length <= most / LongestEscape ? text : CutLong(text, most);

    private static ReadOnlySpan<char> CutLong(ReadOnlySpan<char> text, int most)
    {
        ReadOnlySpan<char> head = text[..Math.Min(text.Length, most)];
        if (head.IndexOfAnyExcept(Plain) < 0)
        {
            return head;
        }

        Span<byte> bytes = stackalloc byte[head.Length];
        Encoding.Latin1.GetBytes(head, bytes);
        int read = 0;
        int written = 0;
        while (read < bytes.Length)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes[read..], out Rune rune, out int length);
            if (status == OperationStatus.NeedMoreData && head.Length < text.Length)
            {
                break; // cut in the middle of one
            }

            written += status != OperationStatus.Done ? Replacement
                : rune.Value < ' ' ? LongestEscape
                : rune.Value is '"' or '\\' ? 2
                : length;
            if (written > most)
            {
                break;
            }

            read += length;
        }

        return text[..read];
    }
}
