// The lines that the encoder of production makes of bodies.
using System.Text;
using Estat.Collect.Batching;
using Estat.Collect.Events;

namespace Estat.Tests.Support;

/// <summary>What needs the code that collects.</summary>
internal static partial class EventLines
{
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

    /// <summary>The bodies in a sealed batch, whatever its form.</summary>
    internal static string[] BodiesOf(SealedBatch batch)
    {
        byte[] content = ReadAll(batch.OpenContent());
        return batch.Form == BatchForm.Gzip ? DecodeGzip(content) : Decode(content);
    }
}
