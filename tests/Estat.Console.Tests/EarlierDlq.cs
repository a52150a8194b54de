// DLQ files as an earlier process left them.
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Estat.Console.Tests;

/// <summary>Writes payload and meta, as <c>docs/operations.md</c> names their fields.</summary>
internal static class EarlierDlq
{
    /// <summary>A pair that is due.</summary>
    /// <param name="folder">DLQ_DIR.</param>
    /// <param name="name">Of the batch.</param>
    /// <param name="reason">Why it is there.</param>
    /// <param name="payload">What is in it, sound or not.</param>
    /// <param name="events">How many lines it has, as the meta says.</param>
    /// <param name="key">Its object's key.</param>
    internal static void Put(string folder, string name, string reason, byte[] payload, int events, string? key = null)
    {
        Directory.CreateDirectory(folder);
        DateTimeOffset due = DateTimeOffset.UtcNow.AddSeconds(-1);
        string path = Path.Combine(folder, name + ".jsonl.gz");
        string meta = path + ".meta.json";
        File.WriteAllText(meta, JsonSerializer.Serialize(new
        {
            num_events = events,
            key = key ?? $"raw/dt=2023-11-14/hr=22/{name}.jsonl.gz",
            created = DateTimeOffset.UtcNow.AddMinutes(-5),
            reason,
            attempts = 3,
            next_due = due,
            sha256 = Convert.ToHexStringLower(SHA256.HashData(payload)),
            last_sequence = events,
            form = "Gzip",
            expired = false,
        }));
        File.SetLastWriteTimeUtc(meta, due.UtcDateTime);
        File.WriteAllBytes(path, payload);
    }

    /// <summary>These lines, compressed.</summary>
    internal static byte[] Gzip(IEnumerable<string> lines)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        }

        return bytes.ToArray();
    }
}
