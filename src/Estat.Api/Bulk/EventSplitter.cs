// A batch's body into its events: NDJSON by lines, a JSON array by elements. What an event says is not looked at.
using System.Text.Json;

namespace Estat.Api.Bulk;

/// <summary>Called with each event in order; false ends the splitting.</summary>
internal delegate bool EventAction(ReadOnlySpan<byte> body);

/// <summary>Splits; events are the exact bytes that stood in the body.</summary>
internal static class EventSplitter
{
    private const int DeepestNesting = 512;

    /// <summary>Whether the body is to be read as a JSON array: by its media type, and where that does not say, by its first character.</summary>
    internal static bool IsArray(ReadOnlySpan<char> contentType, ReadOnlySpan<byte> body)
    {
        int parameters = contentType.IndexOf(';');
        ReadOnlySpan<char> mediaType = (parameters < 0 ? contentType : contentType[..parameters]).Trim();
        bool isLines = mediaType.EndsWith("ndjson", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("jsonl", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("jsonlines", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("json-lines", StringComparison.OrdinalIgnoreCase);
        return !isLines && WithoutMark(body).TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
    }

    /// <summary>One event a line; lines end in LF or CRLF, the last one may lack it; blank lines are no events.</summary>
    internal static void SplitLines(ReadOnlySpan<byte> body, EventAction action)
    {
        body = WithoutMark(body);
        while (!body.IsEmpty)
        {
            int end = body.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? body : body[..end];
            body = end < 0 ? default : body[(end + 1)..];
            line = line is [.., (byte)'\r'] ? line[..^1] : line;
            if (line.IndexOfAnyExcept(" \t\r"u8) >= 0 && !action(line))
            {
                return;
            }
        }
    }

    /// <summary>One event an element, as it is written in the body.</summary>
    /// <exception cref="JsonException">It is no JSON array; the message says where.</exception>
    internal static void SplitArray(ReadOnlySpan<byte> body, EventAction action)
    {
        body = WithoutMark(body);
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DeepestNesting });
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!action(body[start..(int)reader.BytesConsumed]))
            {
                return;
            }
        }

        while (reader.Read())
        {
        }
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> body) => body.StartsWith("\uFEFF"u8) ? body[3..] : body;
}
