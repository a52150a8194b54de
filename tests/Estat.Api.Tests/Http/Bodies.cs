// Bodies that a careless server would change, by what is special about them.
using System.Text;

namespace Estat.Api.Tests.Http;

/// <summary>Named bodies and what has to be stored of each.</summary>
internal static class Bodies
{
    internal const int Largest = 16_384; // MAX_BODY_SIZE's default

    internal static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>
    {
        ["one byte"] = "x"u8.ToArray(),
        ["empty JSON"] = "{}"u8.ToArray(),
        ["ordinary JSON"] = """{"event":"click","n":1.50,"nested":{"a":[1,2,3]}}"""u8.ToArray(),
        ["Korean"] = Encoding.UTF8.GetBytes("""{"이름":"한글 이벤트","값":"가나다라"}"""),
        ["emoji"] = Encoding.UTF8.GetBytes("👩‍👩‍👧‍👦 🇰🇷 𝄞 e\u0301"),
        ["quotes and backslashes"] = Encoding.UTF8.GetBytes("""say "hi" \ \\ \" \u0041 'x'"""),
        ["newlines"] = "a\nb\r\nc\rd\n\n"u8.ToArray(),
        ["all control characters"] = [.. Enumerable.Range(0, 32).Select(i => (byte)i), 0x7F],
        ["only NULs"] = new byte[100],
        ["no JSON"] = "user=1&page=%2Fhome&ref=a+b"u8.ToArray(),
        ["a JSON line with a newline behind it"] = "{\"a\":1}\n"u8.ToArray(),
        ["a byte order mark"] = [0xEF, 0xBB, 0xBF, .. "{\"a\":1}"u8],
        ["only a byte order mark"] = [0xEF, 0xBB, 0xBF],
        ["what JSON for HTML would escape"] = Encoding.UTF8.GetBytes("<script>&amp;</script>\u2028\u2029\u0085\u00A0+'"),
        ["noncharacters"] = Encoding.UTF8.GetBytes("\uFFFE\uFFFF\uFDD0\uFFFD"),
        ["blanks at both ends"] = "  \t body \t  "u8.ToArray(),
        ["only a space"] = " "u8.ToArray(),
        ["what ends a line of the object"] = "\"}\n{\"ts\":0,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"forged"u8.ToArray(),
        ["a gzip stream without its header"] = [0x1F, 0x8B, 8, 0, 1, 2, 3, 0xFF],
        ["every byte"] = [.. Enumerable.Range(0, 256).Select(i => (byte)i)],
        ["the largest that is allowed"] = [.. Enumerable.Repeat((byte)'a', Largest)],
        ["the largest, all of it escaped"] = new byte[Largest],
        ["the largest, none of it UTF-8"] = [.. Enumerable.Repeat((byte)0xFF, Largest)],
        ["the largest in Korean"] = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("한", Largest / 3)) + "."),
    };

    /// <summary>What a reader of the stored line gets: the text that the bytes are, U+FFFD for what is no UTF-8.</summary>
    internal static string Stored(byte[] body) => Encoding.UTF8.GetString(body);
}
