// What PostgreSQL would refuse in a value, found before it is sent there: one bad message would cost the whole batch another attempt.
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Estat.Topics.Sink;

/// <summary>Checks values and keys. Allocates nothing for good ones.</summary>
internal static class JsonCheck
{
    /// <summary>Deepest nesting.</summary>
    internal const int MostDepth = 64;

    // What one string, array or object of a jsonb can hold, and so the whole.
    private const int MostBytes = 268_435_455;

    // numeric: digits before and behind the point.
    private const int MostIntegerDigits = 131_072;
    private const int MostScale = 16_383;

    // A shorter number without an exponent is always in range.
    private const int SafeDigits = 16_000;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MostDepth + 2 };

    /// <summary>Why a value cannot become a jsonb; null when it can.</summary>
    /// <param name="value">The value's bytes.</param>
    internal static Refusal? OfValue(ReadOnlySpan<byte> value)
    {
        if (value.Length > MostBytes)
        {
            return new(RefusalCode.TooLong, $"the value has {value.Length} bytes, and jsonb takes {MostBytes}");
        }

        if (!Utf8.IsValid(value))
        {
            return new(RefusalCode.NotUtf8, "the value is not UTF-8");
        }

        var reader = new Utf8JsonReader(value, Options);
        try
        {
            while (reader.Read())
            {
                if (OfToken(ref reader) is { } refusal)
                {
                    return refusal;
                }
            }

            return null;
        }
        catch (JsonException error)
        {
            return new(
                RefusalCode.NotJson,
                string.Create(CultureInfo.InvariantCulture, $"the value is not JSON: byte {reader.BytesConsumed} and what follows ({Short(error)})"));
        }
    }

    /// <summary>Why a key cannot become a text; null when it can.</summary>
    /// <param name="key">The key's bytes.</param>
    internal static Refusal? OfKey(ReadOnlySpan<byte> key) =>
        !Utf8.IsValid(key) ? new(RefusalCode.NotUtf8, "the key is not UTF-8")
        : key.Contains((byte)0) ? new(RefusalCode.Nul, "the key holds U+0000, which PostgreSQL's text cannot hold")
        : null;

    private static Refusal? OfToken(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                return reader.CurrentDepth < MostDepth ? null : new(RefusalCode.TooDeep, At(ref reader, $"is nested deeper than {MostDepth}"));
            case JsonTokenType.PropertyName or JsonTokenType.String when reader.ValueIsEscaped:
                return OfEscapes(reader.ValueSpan) is { } code
                    ? new(code, At(ref reader, code == RefusalCode.Nul ? "holds \\u0000, which jsonb cannot hold" : "holds half of a surrogate pair"))
                    : null;
            case JsonTokenType.Number:
                return IsInRange(reader.ValueSpan)
                    ? null
                    : new(RefusalCode.Number, At(ref reader, "is a number that PostgreSQL's numeric cannot hold"));
            default:
                return null;
        }
    }

    private static string At(ref Utf8JsonReader reader, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"what begins at byte {reader.TokenStartIndex} of the value {what}");

    // The exception quotes the value; its kind is enough.
    private static string Short(JsonException error) => error.Message.Contains("depth", StringComparison.Ordinal) ? "nesting" : "syntax";

    private static string? OfEscapes(ReadOnlySpan<byte> text)
    {
        int at;
        while ((at = text.IndexOf((byte)'\\')) >= 0)
        {
            if (text[at + 1] != (byte)'u')
            {
                text = text[(at + 2)..];
                continue;
            }

            int unit = UnitAt(text[at..]);
            text = text[(at + 6)..];
            if (unit == 0)
            {
                return RefusalCode.Nul;
            }

            if (char.IsSurrogate((char)unit))
            {
                if (char.IsLowSurrogate((char)unit) || !text.StartsWith("\\u"u8) || !char.IsLowSurrogate((char)UnitAt(text)))
                {
                    return RefusalCode.LoneSurrogate;
                }

                text = text[6..];
            }
        }

        return null;
    }

    // The reader has checked that four hexadecimal digits follow.
    private static int UnitAt(ReadOnlySpan<byte> escape) =>
        Utf8Parser.TryParse(escape.Slice(2, 4), out ushort unit, out _, 'x') ? unit : 0;

    // As numeric_in does it: where the first digit that counts stands, and how many digits there are behind the point.
    private static bool IsInRange(ReadOnlySpan<byte> number)
    {
        int mark = number.IndexOfAny((byte)'e', (byte)'E');
        if (mark < 0 && number.Length <= SafeDigits)
        {
            return true;
        }

        long exponent = 0;
        if (mark >= 0)
        {
            ReadOnlySpan<byte> text = number[(mark + 1)..];
            text = text[0] == (byte)'+' ? text[1..] : text;
            if (!Utf8Parser.TryParse(text, out int parsed, out int used) || used != text.Length || Math.Abs((long)parsed) >= int.MaxValue / 2)
            {
                return false;
            }

            exponent = parsed;
        }

        ReadOnlySpan<byte> digits = mark < 0 ? number : number[..mark];
        digits = digits[0] == (byte)'-' ? digits[1..] : digits;
        int point = digits.IndexOf((byte)'.');
        int whole = point < 0 ? digits.Length : point;
        int behind = point < 0 ? 0 : digits.Length - point - 1;
        if (behind - exponent > MostScale)
        {
            return false;
        }

        int first = digits.IndexOfAnyExcept((byte)'0', (byte)'.');
        // How many digits stand before the point, once the exponent has moved it; a number below 1 has none.
        long before = first < 0 ? 0 : exponent + whole - (first > whole ? first - 1 : first);
        return before <= MostIntegerDigits;
    }
}
