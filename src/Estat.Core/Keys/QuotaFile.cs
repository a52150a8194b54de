// What keys have used of their day, kept over restarts.
using System.Text.Json;
using Estat.Core.Files;

namespace Estat.Core.Keys;

/// <summary><c>{"day":"2026-11-21","used":{"shop":123}}</c>, replaced as a whole. A file that cannot be read counts as none.</summary>
/// <param name="path">Full path; its folder exists when it is written.</param>
internal sealed class QuotaFile(string path)
{
    /// <summary>Its name in SPOOL_DIR.</summary>
    internal const string Name = "write-key-quotas.json";

    internal string Path { get; } = path;

    /// <summary>The day and what each key had used of it; null when there is no file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="JsonException">It is none.</exception>
    internal (int Day, Dictionary<string, long> Used)? Read()
    {
        if (!File.Exists(Path))
        {
            return null;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(Path));
        JsonElement root = document.RootElement;
        try
        {
            return (
                DateOnly.ParseExact(root.GetProperty("day").GetString()!, "O").DayNumber,
                root.GetProperty("used").EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetInt64()));
        }
        catch (Exception error) when (error is KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new JsonException(error.Message, error);
        }
    }

    /// <exception cref="IOException">The disk is full or fails.</exception>
    internal void Write(int day, IEnumerable<KeyValuePair<string, long>> used) => AtomicFile.Write(Path, stream =>
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("day", DateOnly.FromDayNumber(day).ToString("O"));
        json.WriteStartObject("used");
        foreach ((string name, long events) in used)
        {
            json.WriteNumber(name, events);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });
}
