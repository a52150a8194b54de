// What keys have used of their last days, kept over restarts.
using System.Text.Json;
using Estat.Base.Files;

namespace Estat.Base.Access;

/// <summary>
/// <c>{"day":"2026-11-21","used":{"shop":123},"earlier":[{"day":"2026-11-20","used":{"shop":99}}]}</c>, replaced as a whole. A file that cannot be
/// read counts as none.
/// </summary>
/// <param name="files">Where it is.</param>
internal sealed class QuotaFile(IStateFiles files)
{
    private const int Longest = 64 << 20;

    /// <summary>Its name in SPOOL_DIR.</summary>
    internal const string Name = "write-key-quotas.json";

    /// <summary>Where it is, for messages.</summary>
    internal string Path { get; } = files.PathOf(Name);

    /// <summary>What each key had used of which day, in the order of days; none when there is no file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="JsonException">It is none.</exception>
    internal IReadOnlyList<(int Day, Dictionary<string, long> Used)> Read()
    {
        if (files.Read(Name, Longest) is not { } content)
        {
            return [];
        }

        using var document = JsonDocument.Parse(content);
        JsonElement root = document.RootElement;
        try
        {
            IEnumerable<JsonElement> earlier = root.TryGetProperty("earlier", out JsonElement days) ? days.EnumerateArray() : [];
            return [.. earlier.Append(root).Select(DayOf).OrderBy(day => day.Day)];
        }
        catch (Exception error) when (error is KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new JsonException(error.Message, error);
        }
    }

    /// <param name="days">At least one; those of which nothing was used stand in vain.</param>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    internal void Write(IReadOnlyList<(int Day, Dictionary<string, long> Used)> days) => files.Write(Name, stream =>
    {
        using var json = new Utf8JsonWriter(stream);
        (int Day, Dictionary<string, long> Used)[] latestFirst = [.. days.OrderByDescending(day => day.Day)];
        json.WriteStartObject();
        WriteDay(json, latestFirst[0]);
        json.WriteStartArray("earlier");
        foreach ((int Day, Dictionary<string, long> Used) day in latestFirst.Skip(1))
        {
            json.WriteStartObject();
            WriteDay(json, day);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static (int Day, Dictionary<string, long> Used) DayOf(JsonElement day) => (
        DateOnly.ParseExact(day.GetProperty("day").GetString()!, "O").DayNumber,
        day.GetProperty("used").EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetInt64()));

    private static void WriteDay(Utf8JsonWriter json, (int Day, Dictionary<string, long> Used) day)
    {
        json.WriteString("day", DateOnly.FromDayNumber(day.Day).ToString("O"));
        json.WriteStartObject("used");
        foreach ((string name, long events) in day.Used)
        {
            json.WriteNumber(name, events);
        }

        json.WriteEndObject();
    }
}
