// Objects as a capability stores them, made without one.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Estat.Base.Storage;

namespace Estat.Base.Tests.Support;

/// <summary>Gzip JSONL with its seal.</summary>
internal static class Contents
{
    /// <summary>An object key, different at each call.</summary>
    internal static string NewKey() => $"raw/dt=2026-01-02/hr=03/{EventLines.Second}_{Guid.NewGuid():n}_1.jsonl.gz";

    /// <summary>An object with a line for each body.</summary>
    internal static ObjectContent Of(params IEnumerable<string> bodies)
    {
        string[] lines = [.. bodies.Select(body => JsonSerializer.Serialize(new { ts = EventLines.Second, body }) + "\n")];
        byte[] jsonl = Encoding.UTF8.GetBytes(string.Concat(lines));
        byte[] gzip = EventLines.Gzip(jsonl);
        return new ObjectContent(
            () => new MemoryStream(gzip), new Seal(lines.Length, jsonl.Length, Convert.ToHexStringLower(SHA256.HashData(jsonl)), lines.Length),
            IsGzip: true);
    }
}
