// A small JSON path: $.a.b[0]['c d']. One value, no wildcards: what filters and counts of bodies need.
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Estat.Lake.Lines;

/// <summary>
/// Finds one value in JSON without building a tree. <c>$</c> is the whole; <c>.name</c> (letters, digits, <c>_</c>, <c>-</c>), <c>['any name']</c>
/// with <c>\'</c> and <c>\\</c>
/// escaped, and <c>[0]</c> step down. Of equal names the first counts. What is not JSON, or has no such value, is simply not found.
/// </summary>
public sealed class JsonPath
{
    private const int DeepestStep = 32;
    private readonly Step[] _steps;

    private JsonPath(string text, Step[] steps)
    {
        Text = text;
        _steps = steps;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>What a path looks like, for messages.</summary>
    public const string Takes = "a path such as $.page.path, $.items[0].id or $['a name']";

    /// <summary>Null when the text is no path.</summary>
    public static JsonPath? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.StartsWith('$'))
        {
            return null;
        }

        var steps = new List<Step>();
        int at = 1;
        while (at < text.Length)
        {
            if (steps.Count == DeepestStep || ReadStep(text, ref at) is not { } step)
            {
                return null;
            }

            steps.Add(step);
        }

        return new JsonPath(text, [.. steps]);
    }

    /// <summary>The value as text: a string's characters, a number or literal as it is written, an object or array as its JSON. Null when it is not
    /// there.</summary>
    public string? ValueIn(ReadOnlySpan<byte> json)
    {
        if (!MayHold(json))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            return reader.Read() && Find(ref reader) ? TextOf(ref reader, json) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: a name that holds half of a surrogate pair
        {
            return null;
        }
    }

    // Exceptions cost more than a line does, and most bodies that are not JSON do not begin like it.
    private bool MayHold(ReadOnlySpan<byte> json)
    {
        int first = json.IndexOfAnyExcept(" \t\r\n"u8);
        return first >= 0 && (_steps.Length == 0 ? !char.IsAsciiLetter((char)json[first]) || json[first] is (byte)'t' or (byte)'f' or (byte)'n'
            : json[first] is (byte)'{' or (byte)'[');
    }

    private bool Find(ref Utf8JsonReader reader)
    {
        foreach (Step step in _steps)
        {
            bool found = step.Name is not null ? FindName(ref reader, step.Name) : FindIndex(ref reader, step.Index);
            if (!found)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Goes from an object's begin to the value of that name; false when it has none, or is no object.</summary>
    internal static bool FindName(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private static bool FindIndex(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (index-- == 0)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    /// <summary>The value at which the reader stands, as text; what is no text as its bytes say it.</summary>
    internal static string? TextOf(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                try
                {
                    return reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    // Half of a surrogate pair, escaped: JSON that is no text.
                    return Encoding.UTF8.GetString(reader.ValueSpan);
                }

            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                return Encoding.UTF8.GetString(json[start..(int)reader.BytesConsumed]);
            default:
                return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    private static Step? ReadStep(string text, ref int at)
    {
        if (text[at] == '.')
        {
            int start = ++at;
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '-'))
            {
                at++;
            }

            return at > start ? new Step(Encoding.UTF8.GetBytes(text[start..at]), 0) : null;
        }

        if (text[at] != '[' || at + 1 == text.Length)
        {
            return null;
        }

        at++;
        return text[at] is '\'' or '"' ? ReadQuoted(text, ref at) : ReadIndex(text, ref at);
    }

    private static Step? ReadIndex(string text, ref int at)
    {
        int end = text.IndexOf(']', at);
        if (end < 0 || !int.TryParse(text.AsSpan(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            return null;
        }

        at = end + 1;
        return new Step(null, index);
    }

    private static Step? ReadQuoted(string text, ref int at)
    {
        char quote = text[at++];
        var name = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            if (text[at] == '\\' && ++at == text.Length)
            {
                return null;
            }

            name.Append(text[at++]);
        }

        if (at + 1 >= text.Length || text[at + 1] != ']')
        {
            return null;
        }

        at += 2;
        return new Step(Encoding.UTF8.GetBytes(name.ToString()), 0);
    }

    private readonly record struct Step(byte[]? Name, int Index);
}
