// A batch's body into its events: NDJSON by lines, JSON by the elements of its array or by its values. What an event says is not looked at.
using System.Text.Json;

namespace Estat.Collect.Http;

/// <summary>Called with each event in order; false ends the splitting.</summary>
internal delegate bool EventAction(ReadOnlySpan<byte> body);

/// <summary>Splits; events are the exact bytes that stood in the body.</summary>
internal static class EventSplitter
{
    private const int DeepestNesting = 512;

    /// <summary>Whether the body is JSON and not lines of it: by its media type, and where that does not say, by its first character.</summary>
    internal static bool IsJson(ReadOnlySpan<char> contentType, ReadOnlySpan<byte> body)
    {
        int parameters = contentType.IndexOf(';');
        ReadOnlySpan<char> mediaType = (parameters < 0 ? contentType : contentType[..parameters]).Trim();
        if (mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || mediaType.Equals("text/json", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("json-stream", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        bool isLines = mediaType.EndsWith("ndjson", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("jsonl", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("jsonlines", StringComparison.OrdinalIgnoreCase)
                || mediaType.EndsWith("json-lines", StringComparison.OrdinalIgnoreCase);
        return !isLines && WithoutMark(body).TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
    }

    /// <summary>Whether the body begins as gzip does, which no event of a batch can.</summary>
    internal static bool LooksLikeGzip(ReadOnlySpan<byte> body) => body is [0x1F, 0x8B, ..];

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

    /// <summary>
    /// A body that begins with an array: one event an element, and nothing may follow the array. Any other: one event a value, one behind the other,
    /// with or without white space between them. All of it as it is written in the body.
    /// </summary>
    /// <exception cref="JsonException">It is not that; the message says where.</exception>
    internal static void SplitJson(ReadOnlySpan<byte> body, EventAction action)
    {
        body = WithoutMark(body);
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DeepestNesting, AllowMultipleValues = true });
        if (!reader.Read())
        {
            throw new JsonException("The body holds no JSON.");
        }

        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        bool goesOn = !isArray || (reader.Read() && reader.TokenType != JsonTokenType.EndArray);
        while (goesOn)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!action(body[start..(int)reader.BytesConsumed]))
            {
                return;
            }

            goesOn = reader.Read() && (!isArray || reader.TokenType != JsonTokenType.EndArray);
        }

        if (isArray && reader.Read())
        {
            throw new JsonException($"Byte {reader.TokenStartIndex}: something follows the array.");
        }
    }

    /// <summary>Whether the body begins with UTF-8's byte order mark.</summary>
    internal static bool HasMark(ReadOnlySpan<byte> body) => body.StartsWith("\uFEFF"u8);

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> body) => HasMark(body) ? body[3..] : body;
}
