// Request heads: targets, methods and the headers that clients, proxies and attackers send.
using System.Globalization;
using System.Text;

namespace Estat.Fuzz.Grammar;

/// <summary>Header lines, and what they do to the answer.</summary>
/// <param name="Lines">Each with its CRLF; Latin-1.</param>
/// <param name="Refusals">Statuses that refuse the request; none: it passes.</param>
/// <param name="IsCertain">Whether that is all that can come of it.</param>
internal sealed record Headers(string Lines, int[] Refusals, bool IsCertain = true)
{
    internal static Headers None { get; } = new("", []);
}

/// <summary>Makes heads.</summary>
internal static class Heads
{
    private static readonly string[] Addresses =
    [
        "203.0.113.7", "203.0.113.7:4711", "2001:db8::1", "[2001:db8::1]:4711", "[2001:db8::1", "::ffff:198.51.100.9", "10.0.0.1", "192.168.1.1",
        "unknown", "",
        "999.1.1.1", "1.2.3", "1.2.3.4.5", "203.0.113.7:99999", "fe80::1%eth0", "::", "[]", "[]:1", "]", "[", ":", "0x7f.1", "1",
        "fe80::1%" + new string('z', 200),
        "2001:db8::1%1", "\xff\xfe", "203.0.113.7 ", "\t203.0.113.8", "\"[2001:db8::2]:80\"", "for=203.0.113.1", new string('1', 300), "::1",
        "64:ff9b::203.0.113.5",
    ];

    /// <summary>The headers of a request of ordinary clients; it passes.</summary>
    internal static Headers Ordinary(Dice dice)
    {
        var lines = new StringBuilder();
        if (dice.OneIn(2))
        {
            lines.Append($"User-Agent: {dice.Of("curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64)", "한글", "\"quoted\\\"", "\xed\x95\x9c", "\xff\xfe", "a\tb", "")}\r\n".Replace("한글", "\xed\x95\x9c\xea\xb8\x80", StringComparison.Ordinal));
        }

        if (dice.OneIn(4))
        {
            lines.Append($"Idempotency-Key: {Key(dice)}\r\n");
        }

        if (dice.OneIn(4))
        {
            lines.Append($"Cookie: {dice.Of("a=b; c=d", "", ";;;", "\xe9=\"x\"", new string('c', dice.Size(4000)))}\r\n");
        }

        if (dice.OneIn(5))
        {
            lines.Append(dice.Of("X-Estat-Ack: memory\r\n", "x-estat-ack:  Memory \r\n"));
        }

        if (dice.OneIn(5))
        {
            lines.Append($"Origin: {dice.Of("https://shop.example", "null", "", "\xff", "*", "http://a b", "https://shop.example, https://other.example")}\r\n");
        }

        if (dice.OneIn(6))
        {
            lines.Append(Forwarded(dice));
        }

        return new Headers(lines.ToString(), []);
    }

    /// <summary>Headers that try the limits and the readers of headers.</summary>
    internal static Headers Game(Dice dice)
    {
        switch (dice.Below(16))
        {
            case 0:
                int few = dice.Below(40);
                return new Headers(string.Concat(Enumerable.Range(0, few).Select(i => $"X-{i}: v\r\n")), []);
            case 1:
                return new Headers(string.Concat(Enumerable.Range(0, dice.Between(70, 300)).Select(i => $"X-{i}: v\r\n")), [431]);
            case 2:
                return new Headers($"X-Long: {new string('l', dice.Between(1, 12_000))}\r\n", []);
            case 3:
                return new Headers($"X-Long: {new string('l', dice.Between(17_000, 60_000))}\r\n", [431]);
            case 4:
                return new Headers(dice.Of("X-Folded: a\r\n b\r\n", "X: a\r\n\tb\r\n", "nonsense\r\n", ": value\r\n", "X Y: v\r\n", "X : v\r\n",
                    "X: a\0b\r\n", "X: a\rb\r\n", "X\0: v\r\n", "X\xff: v\r\n", "\rX: v\r\n"), [400]);
            case 5:
                return new Headers($"X-Binary: {Latin1(dice, 200)}\r\n", []);
            case 6:
                // Whether lists are understood is the server's affair; a request that passes is stored once.
                return new Headers($"X-Estat-Ack: {dice.Of("memory, memory", "disk", "stored", "memory,disk,stored", "disk;q=1", "replica")}\r\n",
                    [400], IsCertain: false);
            case 7:
                return new Headers($"X-Estat-Ack: {dice.Of("paper", "\xff", "*", "0", "memory\tdisk", "mem ory", "-1", new string('m', 500))}\r\n",
                    [400]);
            case 8:
                return new Headers($"X-Estat-Ack: memory\r\nX-Estat-Ack: {dice.Of("memory", "disk", "")}\r\n", [400], IsCertain: false);
            case 9:
                return new Headers("Expect: 100-continue\r\n", []);
            case 10:
                return new Headers($"Expect: {dice.Of("200-ok", "", "100-continue, x", "\xff")}\r\n", [400, 417], IsCertain: false);
            case 11:
                return new Headers(Forwarded(dice) + Forwarded(dice), []);
            case 12:
                return new Headers($"Idempotency-Key: {Latin1(dice, 300)}\r\nIdempotency-Key: {Key(dice)}\r\n", []);
            case 13:
                return new Headers(dice.Of("Host: estat.test\r\n", "Host: other.test\r\n"), [400]);
            case 14:
                return new Headers($"Connection: {dice.Of("keep-alive, X-Odd", "upgrade", "Upgrade, HTTP2-Settings", "\xff", ",,,")}\r\nUpgrade: "
                    + $"{dice.Of("h2c", "websocket", "")}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", [], IsCertain: false);
            default:
                return new Headers(dice.Of("Accept-Encoding: gzip\r\nRange: bytes=0-1\r\nIf-None-Match: *\r\nTE: trailers\r\n",
                    "Content-Range: bytes 0-1/2\r\n", "Date: never\r\nVia: 1.1 x\r\n", "Trailer: X-Sum\r\n", "Content-MD5: x\r\nDigest: y\r\n"), []);
        }
    }

    /// <summary>A query of a pixel, without the question mark, and whether it is within HTTP and its limits.</summary>
    internal static (string Query, Expectation Expects) Query(Dice dice)
    {
        string query = dice.Below(9) switch
        {
            0 => "",
            1 => "a=b&c=%20%ff%00",
            2 => "%",
            3 => "?" + new string('?', dice.Size(50)),
            4 => "/../..//" + dice.Next().ToString(CultureInfo.InvariantCulture),
            5 => new string('q', dice.Of(EventBodies.Largest, EventBodies.Largest - 1, dice.Size(EventBodies.Largest))),
            6 => new string('q', EventBodies.Largest + dice.Size(900)),
            7 => "\"'<>{}|\\^`[]" + (dice.OneIn(2) ? "#fragment" : ""),
            _ => Printable(dice, dice.Size(300)),
        };
        return (query, query.Length == 0 ? Expectation.Only(400)
            : query.Length > EventBodies.Largest ? Expectation.Only(413)
            : Expectation.Stores(Encoding.ASCII.GetBytes(query)));
    }

    internal static string Forwarded(Dice dice)
    {
        string name = dice.Of("X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR", "CloudFront-Viewer-Address", "cloudfront-viewer-address");
        string list = string.Join(
            dice.Of(",", ", ", " ,", ",,"), Enumerable.Range(0, dice.Size(dice.OneIn(10) ? 40 : 4)).Select(_ => dice.Of(Addresses)));
        return $"{name}: {list}\r\n";
    }

    // Any byte that may stand in a header's value.
    private static string Latin1(Dice dice, int most)
    {
        IEnumerable<byte> bytes = dice.Bytes(dice.Size(most)).Where(value => value is not (0 or (byte)'\r' or (byte)'\n'));
        return Encoding.Latin1.GetString([.. bytes]);
    }

    private static string Key(Dice dice) => dice.Of(
        Guid.Empty.ToString(), "k-" + dice.Next()
            .ToString(CultureInfo.InvariantCulture), "\xff\xfe\x80", "\"},{\"", "\\u0000", "", "a\tb", new string('k', dice.Size(2000)));

    private static string Printable(Dice dice, int count)
    {
        var text = new StringBuilder(count);
        for (int i = 0; i < count; i++)
        {
            text.Append((char)dice.Between('!', '~'));
        }

        return text.ToString();
    }
}
