// Bodies of single events: what careless servers change, cut or stumble over.
using System.Text;

namespace Estat.Fuzz.Grammar;

/// <summary>Bodies as bytes, JSON values as text.</summary>
internal static class EventBodies
{
    internal const int Largest = 16_384; // MAX_BODY_SIZE's default

    private static readonly string[] Texts =
    [
        "", "x", "click", "한글 이벤트", "👩‍👩‍👧‍👦", "𝄞", "e\u0301", "\u2028\u2029", "\uFEFF", "\u0000", "\u001F", "\u007F", "a\tb", "\"", "\\", "\\\"",
        "</script>",
        "\"}\n{\"ts\":0,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"forged", "\uFFFD", "\uFFFE",
    ];

    private static readonly string[] Literals =
    [
        "0", "-0", "-1.50", "1e400", "-1E-400", "123456789012345678901234567890", "true", "false", "null", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\\\\\\"\"", "\"\\ud83d\\ude00\"", "{}", "[]", "[[],[{}]]", "{\"a\":1,\"a\":2,\"a\":{\"a\":null}}", "{\"\":\"\"}",
        "{ \"a\" : [ 1 , 2 ] }", "{\"a\":\"],[\"}",
    ];

    /// <summary>Any bytes, at least one, at most <see cref="Largest"/>.</summary>
    internal static byte[] Any(Dice dice) => dice.Below(8) switch
    {
        0 => dice.Bytes(dice.Size(3000)),
        1 => Encoding.UTF8.GetBytes(Json(dice, 3)),
        2 => InvalidUtf8(dice),
        3 => Filled(dice.Of<byte>(0, (byte)'a', 0xFF, (byte)'"', (byte)'\n'), dice.OneIn(4) ? Largest - dice.Below(3) : dice.Size(Largest)),
        4 => [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Json(dice, 1))],
        5 => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Text(dice) + ".", dice.Size(40)))),
        6 => Encoding.ASCII.GetBytes($"user={dice.Next()}&page=%2Fhome&ref=a+b"),
        _ => Encoding.UTF8.GetBytes($"{{\"event\":\"click\",\"n\":{dice.Next()}}}"),
    };

    internal static byte[] Filled(byte value, int count)
    {
        var bytes = new byte[count];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    internal static string Text(Dice dice) => dice.Of(Texts);

    /// <summary>A JSON value as valid JSON text, down to a depth. Its strings may hold escapes of lone surrogates, its objects a key twice.</summary>
    internal static string Json(Dice dice, int depth)
    {
        if (depth == 0 || dice.OneIn(3))
        {
            return dice.OneIn(2) ? dice.Of(Literals) : Quoted(Text(dice));
        }

        var parts = new List<string>();
        bool isObject = dice.OneIn(2);
        for (int i = dice.Below(5); i >= 0; i--)
        {
            parts.Add(isObject ? $"{Quoted(dice.OneIn(4) ? "a" : Text(dice))}:{Json(dice, depth - 1)}" : Json(dice, depth - 1));
        }

        string separator = dice.Of(",", ", ", " ,", ",\n  ", "\r\n,\t");
        return isObject ? $"{{{string.Join(separator, parts)}}}" : $"[{string.Join(separator, parts)}]";
    }

    /// <summary>A JSON value nested so deep.</summary>
    internal static string Deep(int depth, bool isObject) => isObject
        ? string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth)
        : new string('[', depth) + new string(']', depth);

    /// <summary>Text in whose middle stands what is no UTF-8: cut sequences, overlong ones, surrogates, bytes that never occur.</summary>
    internal static byte[] InvalidUtf8(Dice dice) =>
    [
        .. Encoding.UTF8.GetBytes(Text(dice)),
        .. dice.Of<byte[]>(
            [0xFF], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x92],
            [0xE2, 0x82],
            [0x80], [0xC2], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xEF, 0xBF], [0xFE, 0xFF]),
        .. Encoding.UTF8.GetBytes(Text(dice)),
    ];

    private static string Quoted(string text)
    {
        var json = new StringBuilder("\"");
        foreach (char c in text)
        {
            _ = c is '"' or '\\' ? json.Append('\\').Append(c) : c < ' '
                ? json.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : json.Append(c);
        }

        return json.Append('"').ToString();
    }
}
