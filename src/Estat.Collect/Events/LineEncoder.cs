// One event becomes one JSONL line: {"ts":…,"ip":"…","user_agent":"…"[,"cookie":"…"][,"id":"…"],"body":"…"} and a newline.
using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Estat.Collect.Events;

/// <summary>Encodes an event straight into the memory that the batch is read from. Allocates nothing.</summary>
internal static class LineEncoder
{
    private const int Fixed = 128; // field names, punctuation, 20 digits of ts, newline: 84 bytes at most
    private const int StackLimit = 1024;

    /// <summary>Room that <see cref="Encode"/> asks for: an upper bound of the line's length plus the escaper's slack.</summary>
    internal static int MaxLength(in EventHeader header, int bodyLength) =>
        checked(Fixed + JsonEscaper.Slack + (JsonEscaper.Growth * (header.Ip.Length + bodyLength))
            + (3 * JsonEscaper.Growth * (header.UserAgent.Length + header.Cookie.Length + header.Id.Length)));

    /// <summary>Writes the line.</summary>
    /// <param name="header">The envelope.</param>
    /// <param name="body">The body as it came.</param>
    /// <param name="line">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>Bytes written, newline included.</returns>
    internal static int Encode(in EventHeader header, ReadOnlySpan<byte> body, Span<byte> line)
    {
        int at = Copy("{\"ts\":"u8, line, 0);
        Utf8Formatter.TryFormat(header.UnixSeconds, line[at..], out int digits);
        at = Copy(",\"ip\":\""u8, line, at + digits);
        at += JsonEscaper.Escape(header.Ip, line[at..]);
        at = Copy("\",\"user_agent\":\""u8, line, at);
        at += EscapeText(header.UserAgent, line[at..]);
        if (!header.Cookie.IsEmpty)
        {
            at = Copy("\",\"cookie\":\""u8, line, at);
            at += EscapeText(header.Cookie, line[at..]);
        }

        if (!header.Id.IsEmpty)
        {
            at = Copy("\",\"id\":\""u8, line, at);
            at += EscapeText(header.Id, line[at..]);
        }

        at = Copy("\",\"body\":\""u8, line, at);
        at += JsonEscaper.Escape(body, line[at..]);
        return Copy("\"}\n"u8, line, at);
    }

    private static int Copy(ReadOnlySpan<byte> text, Span<byte> line, int at)
    {
        text.CopyTo(line[at..]);
        return at + text.Length;
    }

    // Header characters are bytes (see EventHeader): narrowed, they are what the client sent, UTF-8 or not. A character above 0xFF can only come
    // from a caller other than HTTP/1; it is written as UTF-8.
    private static int EscapeText(ReadOnlySpan<char> text, Span<byte> destination)
    {
        if (text.IsEmpty)
        {
            return 0;
        }

        byte[]? rented = null;
        Span<byte> bytes = text.Length * 3 <= StackLimit ? stackalloc byte[StackLimit] : (rented = ArrayPool<byte>.Shared.Rent(text.Length * 3));
        try
        {
            int length = text.IndexOfAnyExceptInRange('\0', '\xFF') < 0
                ? Encoding.Latin1.GetBytes(text, bytes)
                : Encoding.UTF8.GetBytes(text, bytes);
            return JsonEscaper.Escape(bytes[..length], destination);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }
}
