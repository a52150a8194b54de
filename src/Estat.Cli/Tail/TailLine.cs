// A stored line for people.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Tail;

/// <summary><c>14:03:59  203.0.113.7  {"page":"/home"}</c>. Control characters of a body are shown, never obeyed.</summary>
internal static class TailLine
{
    internal static string Pretty(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            string time = DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("ts").GetInt64()).ToLocalTime()
                .ToString("HH:mm:ss", CultureInfo.InvariantCulture);
            string id = root.TryGetProperty("id", out JsonElement given) ? $"  #{given.GetString()}" : "";
            return Shell.Printable($"{time}  {root.GetProperty("ip").GetString(),-15}  {root.GetProperty("body").GetString()}{id}");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return Shell.Printable(line);
        }
    }
}
