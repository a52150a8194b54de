// Reads gzip JSONL strictly to its end: what a DLQ file must pass before it may go to RAW.
using System.Security.Cryptography;
using System.Text.Json;

namespace Estat.Base.Storage;

/// <summary>Computes seals from content and tells sound content from broken.</summary>
internal static class ContentCheck
{
    /// <summary>The seal of gzip JSONL; of anything else, the count 0 and the hash of the bytes as they are.</summary>
    internal static Seal SealOf(Func<Stream> open)
    {
        using Stream content = open();
        try
        {
            return Read(content, checkLines: false, afterStep: null);
        }
        catch (InvalidDataException)
        {
            content.Position = 0;
            return SealOfBytes(content, events: 0);
        }
    }

    /// <summary>The seal of bytes that are stored as they are.</summary>
    internal static Seal SealOfBytes(Stream content, long events)
    {
        long length = content.Length;
        return new Seal(events, length, Convert.ToHexStringLower(SHA256.HashData(content)), events);
    }

    /// <summary>Reads the whole of it: gzip to its end and checksum, every line JSON, the last line ended.</summary>
    /// <param name="content">What is read.</param>
    /// <param name="afterStep">Called after every millisecond of work or less.</param>
    /// <exception cref="InvalidDataException">It is not sound; the message says where.</exception>
    internal static Seal Validate(Stream content, Action? afterStep = null) => Read(content, checkLines: true, afterStep);

    /// <summary>SHA-256 of the first <paramref name="events"/> lines; null when there are fewer.</summary>
    internal static string? HashOfPrefix(Stream content, long events)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachLine(content, (line, index) =>
        {
            if (index < events)
            {
                hash.AppendData(line);
            }
        }, out long total, out _);
        return total < events ? null : Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Calls back for each line, newline included.</summary>
    internal static void ForEachLine(Stream content, LineAction action, out long lines, out long bytes, Action? afterStep = null)
    {
        using var reader = new JsonLines(content, isGzip: true, afterStep);
        while (reader.Read())
        {
            action(reader.Line, reader.Lines - 1);
        }

        lines = reader.Lines;
        bytes = reader.Bytes;
    }

    internal delegate void LineAction(ReadOnlySpan<byte> line, long index);

    private static Seal Read(Stream content, bool checkLines, Action? afterStep)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachLine(content, (line, index) =>
        {
            hash.AppendData(line);
            if (checkLines)
            {
                CheckJson(line, index);
            }
        }, out long lines, out long bytes, afterStep);
        if (lines == 0)
        {
            throw new InvalidDataException("it holds no line");
        }

        return new Seal(lines, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()), lines);
    }

    private static void CheckJson(ReadOnlySpan<byte> line, long index)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            while (reader.Read())
            {
            }
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"line {index + 1} is not JSON ({error.Message})", error);
        }
    }
}
