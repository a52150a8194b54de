// How a body's end is said: lengths and chunks, right and wrong.
using System.Globalization;
using System.Text;

namespace Estat.Fuzz.Grammar;

/// <summary>Header lines and the bytes that follow the head.</summary>
/// <param name="Headers">Header lines, each with its CRLF.</param>
/// <param name="Bytes">What stands behind the head.</param>
/// <param name="Refusals">Statuses that refuse it; none: the body arrives as it is.</param>
/// <param name="IsCertain">Whether that is all that can come of it. What is not may leave bytes that are read as another request.</param>
internal sealed record FramedBody(string Headers, byte[] Bytes, int[] Refusals, bool IsCertain = true);

/// <summary>Frames bodies.</summary>
internal static class Framing
{
    /// <summary>By its length or in chunks, as clients do it.</summary>
    internal static FramedBody Sound(Dice dice, byte[] body) => dice.OneIn(3) ? Chunked(dice, body) : Length(body);

    internal static FramedBody Length(byte[] body) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n"), body, []);

    /// <summary>Chunks of any size, with extensions, leading zeros and trailers.</summary>
    internal static FramedBody Chunked(Dice dice, byte[] body)
    {
        var bytes = new List<byte>(body.Length + 64);
        int at = 0;
        int largest = dice.Size(Math.Max(1, body.Length)) + (body.Length / 200);
        while (at < body.Length)
        {
            int size = Math.Min(dice.Size(largest), body.Length - at);
            string extension = dice.OneIn(6) ? dice.Of(";a", ";a=b", "; name=\"va lue\"", ";;;", ";" + new string('x', dice.Size(300))) : "";
            string format = dice.Of("x", "X", "x4", "X7");
            Add(bytes, size.ToString(format, CultureInfo.InvariantCulture) + extension + "\r\n");
            bytes.AddRange(body.AsSpan(at, size));
            Add(bytes, "\r\n");
            at += size;
        }

        Add(bytes, dice.Of("0", "0", "00", "000000", "0;end") + "\r\n");
        if (dice.OneIn(5))
        {
            Add(bytes, dice.Of("X-Trailer: t\r\n", "X-Sum: 1\r\nX-Sum: 2\r\n", "Content-Length: 5\r\n", "Idempotency-Key: late\r\n"));
        }

        Add(bytes, "\r\n");
        string name = dice.Of("Transfer-Encoding: chunked\r\n", "transfer-encoding: Chunked\r\n", "Transfer-Encoding:  chunked \r\n");
        return new FramedBody(name, [.. bytes], []);
    }

    /// <summary>Wrong lengths, wrong chunks, and both at once.</summary>
    internal static FramedBody Broken(Dice dice, byte[] body)
    {
        string length = body.Length.ToString(CultureInfo.InvariantCulture);
        switch (dice.Below(14))
        {
            case 0:
                return new FramedBody($"Content-Length: {dice.Of("-1", "+5", "0x10", "1e3", "five", "5 5", "5,5", "18446744073709551616", "9999999999999999999999", "٣", "5;", "-0")}\r\n", body, [400]);
            case 1:
                return new FramedBody($"Content-Length: {dice.Of("9223372036854775807", "4294967296", "2147483648", "99999999")}\r\n", body, [413]);
            case 2:
                return new FramedBody($"Content-Length: {length}\r\nContent-Length: {dice.Of(length, "0", "1", "99")}\r\n", body, [400]);
            case 3:
                // Longer than it says: the rest is read as another request.
                return new FramedBody($"Content-Length: {dice.Below(body.Length)}\r\n", body, [], IsCertain: false);
            case 4:
                return new FramedBody($"Content-Length: {body.Length + dice.Size(1000)}\r\n", body, [], IsCertain: false);
            case 5:
                // RFC 9112 6.1: the chunks count, and the connection ends.
                FramedBody both = Chunked(dice, body);
                return both with { Headers = $"Content-Length: {dice.Of(length, "0", "3", "9999")}\r\n{both.Headers}", IsCertain = false };
            case 6:
                return new FramedBody($"Transfer-Encoding: {dice.Of("gzip", "identity", "xchunked", "chunked, gzip", "\"chunked\"", "chunked;q=1")}\r\n", Chunked(dice, body).Bytes, [400, 501]);
            case 7:
                return new FramedBody($"Transfer-Encoding: "
                    + $"{dice.Of("gzip, chunked", "identity, chunked", "chunked, chunked", ",chunked", "gzip\r\nTransfer-Encoding: chunked")}\r\n",
                    Chunked(dice, body).Bytes, [400, 501]);
            case 8:
                return BadChunks(dice, dice.Of("ZZ", "-1", "+1", "0x3", "", " ", "3 3", "\x00", "\xff", "FFFFFFFF1", "FFFFFFFFFFFFFFFFF", "80000000",
                    "7FFFFFFF", new string('0', 300) + "3", ";a", "3\r"));
            case 9:
                return new FramedBody("Transfer-Encoding: chunked\r\n", [.. "3\r\nabcd\r\n0\r\n\r\n"u8], [400]);
            case 10:
                return new FramedBody("Transfer-Encoding: chunked\r\n", [.. Chunked(dice, body).Bytes.Take(dice.Below(20))], [], IsCertain: false);
            case 11:
                return new FramedBody("Transfer-Encoding: chunked\r\n", [.. "3\nabc\n0\n\n"u8], [400]);
            case 12:
                // A trailer without end or form.
                return new FramedBody("Transfer-Encoding: chunked\r\n", Encoding.Latin1.GetBytes($"1\r\nx\r\n0\r\n{dice.Of("no colon\r\n\r\n", " folded\r\n\r\n", ":\r\n\r\n", "X: \0\r\n\r\n", "X: " + new string('t', 20_000) + "\r\n\r\n", string.Concat(Enumerable.Repeat("X: y\r\n", 100)) + "\r\n")}"), [], IsCertain: false);
            default:
                return new FramedBody("", body, [], IsCertain: false);
        }
    }

    private static FramedBody BadChunks(Dice dice, string size) =>
        new("Transfer-Encoding: chunked\r\n", Encoding.Latin1.GetBytes($"{(dice.OneIn(2) ? "2\r\nok\r\n" : "")}{size}\r\nabc\r\n0\r\n\r\n"), [],
            IsCertain: false);

    private static void Add(List<byte> bytes, string latin1) => bytes.AddRange(Encoding.Latin1.GetBytes(latin1));
}
