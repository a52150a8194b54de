// Whether a line that another node sent is a JSON object: it goes into an object that readers take for JSONL.
using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Estat.Collect.Events;

/// <summary>
/// Lines of Estat's own encoder are flat, without white space, and are read here at the speed of memory; whatever looks different goes through .NET's
/// reader.
/// </summary>
internal static class JsonLine
{
    private const int ShortRun = 8;
    private static readonly SearchValues<byte> EndsRun =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    /// <summary>Whether these bytes are one JSON object, and nothing beside it.</summary>
    internal static bool IsObject(ReadOnlySpan<byte> line) => 
        line is [(byte)'{', .., (byte)'}'] && Utf8.IsValid(line) && (IsFlatObject(line) || IsAnyObject(line));

    // {"name":value,…} with strings and whole numbers for values; false may also mean: of another form.
    private static bool IsFlatObject(ReadOnlySpan<byte> line)
    {
        int at = 1;
        while (true)
        {
            if (!SkipString(line, ref at) || at >= line.Length || line[at++] != ':' || at >= line.Length)
            {
                return false;
            }

            if (!(line[at] == '"' ? SkipString(line, ref at) : SkipWholeNumber(line, ref at)) || at >= line.Length)
            {
                return false;
            }

            switch (line[at++])
            {
                case (byte)',': continue;
                case (byte)'}': return at == line.Length;
                default: return false;
            }
        }
    }

    private static bool SkipString(ReadOnlySpan<byte> line, ref int at)
    {
        if (at >= line.Length || line[at++] != '"')
        {
            return false;
        }

        while (true)
        {
            // Byte by byte first: a run between two escapes is shorter than a vector.
            int near = Math.Min(line.Length, at + ShortRun);
            while (at < near && line[at] is >= (byte)' ' and not (byte)'"' and not (byte)'\\')
            {
                at++;
            }

            int run = at < near ? 0 : line[at..].IndexOfAny(EndsRun);
            if (run < 0)
            {
                return false;
            }

            at += run;
            if (line[at] == '"')
            {
                at++;
                return true;
            }

            // Escapes come in crowds where a body is JSON itself.
            do
            {
                if (line[at] != '\\' || at + 1 >= line.Length)
                {
                    return false;
                }

                switch (line[at + 1])
                {
                    case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                        at += 2;
                        break;
                    case (byte)'u' when at + 6 <= line.Length && IsHex(line.Slice(at + 2, 4)):
                        at += 6;
                        break;
                    default:
                        return false;
                }
            }
            while (at < line.Length && line[at] == '\\');
        }
    }

    private static bool IsHex(ReadOnlySpan<byte> digits) =>
        ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    private static bool SkipWholeNumber(ReadOnlySpan<byte> line, ref int at)
    {
        int digits = line[at..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits < 1 || (digits > 1 && line[at] == '0'))
        {
            return false;
        }

        at += digits;
        return true;
    }

    private static bool IsAnyObject(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            bool isObject = reader.Read() && reader.TokenType == JsonTokenType.StartObject;
            while (reader.Read())
            {
            }

            return isObject && reader.BytesConsumed == line.Length;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
