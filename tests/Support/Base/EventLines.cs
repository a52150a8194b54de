// Events as the tests speak of them: a body is a short text, a line is a JSON object that holds it.
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Estat.Tests.Support;

/// <summary>Bodies to lines and back.</summary>
internal static partial class EventLines
{
    internal const long Second = 1_767_323_045;

    /// <summary>The bodies <c>event-0</c>, <c>event-1</c>, …</summary>
    internal static string[] Bodies(int count, int first = 0) => [.. Enumerable.Range(first, count).Select(n => $"event-{n}")];

    internal static byte[] Gzip(byte[] content)
    {
        using var gzip = new MemoryStream();
        using (var compressor = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            compressor.Write(content);
        }

        return gzip.ToArray();
    }

    /// <summary>The bodies in JSONL, in order. Fails unless every line is a whole JSON object that ends in a newline.</summary>
    internal static string[] Decode(byte[] lines)
    {
        Assert.True(lines.Length == 0 || lines[^1] == (byte)'\n', "the last line has no end");
        return
        [
            .. Encoding.UTF8.GetString(lines).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("body").GetString()!),
        ];
    }

    /// <summary>The bodies in a gzip object, read strictly.</summary>
    internal static string[] DecodeGzip(byte[] gzip) => Decode(StoredEvents.Decompress("content", gzip));

    internal static byte[] ReadAll(Stream stream)
    {
        using (stream)
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }
}
