// Events as the tests speak of them: a body is a short text, a line is what the encoder makes of it.
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Estat.Collect.Batching;
using Estat.Collect.Events;

namespace Estat.Collect.Tests.Support;

/// <summary>Bodies to lines and back.</summary>
internal static class EventLines
{
    internal const long Second = 1_767_323_045;

    /// <summary>The bodies <c>event-0</c>, <c>event-1</c>, …</summary>
    internal static string[] Bodies(int count, int first = 0) => [.. Enumerable.Range(first, count).Select(n => $"event-{n}")];

    internal static EventHeader Header(string? prefix = null) =>
        new() { Prefix = prefix, UnixSeconds = Second, Ip = "192.0.2.1"u8, UserAgent = "test" };

    /// <summary>The lines of these bodies, as one block of JSONL.</summary>
    internal static byte[] Encode(IEnumerable<string> bodies)
    {
        using var lines = new MemoryStream();
        foreach (string body in bodies)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(body);
            EventHeader header = Header();
            var line = new byte[LineEncoder.MaxLength(header, utf8.Length)];
            lines.Write(line, 0, LineEncoder.Encode(header, utf8, line));
        }

        return lines.ToArray();
    }

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

    /// <summary>The bodies in a sealed batch, whatever its form.</summary>
    internal static string[] BodiesOf(SealedBatch batch)
    {
        byte[] content = ReadAll(batch.OpenContent());
        return batch.Form == BatchForm.Gzip ? DecodeGzip(content) : Decode(content);
    }
}
