// Takes sound bytes and spoils them a little: most of what the parsers have to survive is nearly right.
using System.Text;

namespace Estat.Fuzz;

/// <summary>Mutates bytes, a few steps at a time.</summary>
internal static class Mutator
{
    private const int Longest = 300_000;
    private static readonly byte[] Interesting = [0, 1, 9, 10, 13, 32, 34, 44, 47, 48, 57, 58, 59, 61, 63, 91, 92, 93, 123, 125, 127, 128, 255];

    private static readonly string[] Tokens =
    [
        "\r\n", "\n", "\r", "\r\n\r\n", "\r\n ", "0\r\n\r\n", "Content-Length: 0\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n", "Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n", "X-Estat-Ack: memory\r\n",
        "Expect: 100-continue\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n",
        "GET /collect?a HTTP/1.1\r\nHost: e\r\n\r\n", "POST /collect/batch HTTP/1.1\r\n", "Host: e\r\n", "/collect", "/batch", "?", "%00", "\xff",
        "\xef\xbb\xbf", "\xed\xa0\x80", "[", "]", "{\"a\":", "}",
        ",", "\"", "\\", "\\u0000", "\\ud800", "\x1f\x8b\x08", "18446744073709551616", "-1", "4294967295", "2147483648", "FFFFFFFFFFFFFFFF", "1e999",
        ";", ":",
    ];

    internal static byte[] Mutate(Dice dice, byte[] source)
    {
        var bytes = new List<byte>(source);
        for (int steps = dice.Size(6); steps > 0; steps--)
        {
            Step(dice, bytes);
        }

        return [.. bytes];
    }

    private static void Step(Dice dice, List<byte> bytes)
    {
        // Heads decide more than bodies do, so that half of all steps are near the front.
        int at = dice.Below(dice.OneIn(2) ? Math.Min(bytes.Count, 200) : bytes.Count);
        int length = Math.Min(dice.Size(64), bytes.Count - at);
        switch (dice.Below(9))
        {
            case 0 when bytes.Count > 0:
                bytes[at] ^= (byte)(1 << dice.Below(8));
                break;
            case 1 when bytes.Count > 0:
                bytes[at] = dice.Of(Interesting);
                break;
            case 2 when length > 0:
                bytes.RemoveRange(at, length);
                break;
            case 3 when length > 0 && bytes.Count < Longest:
                byte[] again = [.. bytes.GetRange(at, length)];
                for (int times = dice.Size(20); times > 0; times--)
                {
                    bytes.InsertRange(at, again);
                }

                break;
            case 4 when length > 0:
                byte[] moved = [.. bytes.GetRange(at, length)];
                bytes.RemoveRange(at, length);
                bytes.InsertRange(dice.Below(bytes.Count), moved);
                break;
            case 5 when dice.OneIn(4):
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 6:
                ReplaceNumber(dice, bytes, at);
                break;
            case 7 when dice.OneIn(3):
                bytes.InsertRange(at, dice.Bytes(dice.Size(500)));
                break;
            default:
                bytes.InsertRange(at, Encoding.Latin1.GetBytes(dice.Of(Tokens)));
                break;
        }
    }

    private static void ReplaceNumber(Dice dice, List<byte> bytes, int from)
    {
        int start = bytes.FindIndex(from, value => value is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
        {
            return;
        }

        int end = bytes.FindIndex(start, value => value is < (byte)'0' or > (byte)'9');
        bytes.RemoveRange(start, (end < 0 ? bytes.Count : end) - start);
        bytes.InsertRange(start, Encoding.ASCII.GetBytes(
            dice.Of("0", "1", "2", "7", "100", "-1", "65536", "2147483648", "4294967296", "18446744073709551616", "0x1F", "")));
    }
}
