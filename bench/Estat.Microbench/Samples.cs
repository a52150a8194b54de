// What is measured with: events as bench/events.lua makes them, no two alike, and bodies of a given size and kind.
using System.Globalization;
using System.Text;
using Estat.Collect.Events;

namespace Estat.Microbench;

internal static class Samples
{
    internal const string UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36";

    private static readonly string[] Pages = ["/products/", "/cart?item=", "/search?q=%ED%95%9C%EA%B5%AD&page=", "/article/", "/checkout/step/"];

    private static readonly string[] UserAgents =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{1} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{1} Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    ];

    /// <summary>A page view, about 500 bytes.</summary>
    internal static byte[] PageView(Random random, int number) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"event_id\":\"{random.Next():x8}-{number % 65536:x4}-{random.Next():x8}\",\"session\":\"s_{random.Next():x}\",\"type\":\"page_view\","
        + $"\"url\":\"https://shop.example.com{Pages[number % 5]}{random.Next(1, 1_000_001)}\",\"referrer\":\"https://www.google.com/search?q={random.Next():x}\","
        + $"\"title\":\"상품 상세 페이지 {random.Next(1, 100_001)} — 오늘의 "
            + $"특가\",\"price\":{random.Next(1, 901)}.{random.Next(100):00},\"ts\":{1_700_000_000 + number},"
        + $"\"user\":{{\"id\":{random.Next(1, 10_000_001)},\"tier\":\"gold\",\"age\":{random.Next(18, 81)}}},"
        + $"\"viewport\":{{\"w\":{random.Next(320, 2561)},\"h\":{random.Next(500, 1601)}}},\"tags\":[\"봄\",\"세일\",\"new\"],"
        + $"\"ab\":\"{(number % 2 == 0 ? "A" : "B")}\",\"trace\":\"{random.Next():x8}{random.Next():x8}\"}}"));

    /// <summary>A body of exactly <paramref name="bytes"/> bytes of UTF-8, spaces at its end where a character would not fit.</summary>
    internal static byte[] Body(BodyKind kind, int bytes)
    {
        var body = new byte[bytes];
        body.AsSpan().Fill((byte)' ');
        var random = new Random(1);
        for (int at = 0, number = 0; at < bytes; number++)
        {
            byte[] part = kind switch
            {
                BodyKind.Json => PageView(random, number),
                BodyKind.Korean => "오늘의 특가 상품 상세 페이지 입니다 "u8.ToArray(),
                BodyKind.Quotes => "\"\"\\\"\n\t"u8.ToArray(),
                _ => "plain text without anything to escape in it, 64 bytes long, so. "u8.ToArray(),
            };
            int length = Math.Min(part.Length, bytes - at);
            while (length > 0 && length < part.Length && (part[length] & 0xC0) == 0x80)
            {
                length--;
            }

            if (length == 0)
            {
                break;
            }

            part.AsSpan(0, length).CopyTo(body.AsSpan(at));
            at += length;
        }

        return body;
    }

    /// <summary>The header of an event that is measured alone.</summary>
    internal static EventHeader Header() => new() { UnixSeconds = 1_767_323_045, Ip = "203.0.113.7"u8, UserAgent = UserAgent };

    /// <summary>Lines as a batch holds them: of many visitors, so addresses and agents differ, too.</summary>
    internal static byte[] Lines(int events, int seed)
    {
        var random = new Random(seed);
        var lines = new MemoryStream();
        for (int i = 0; i < events; i++)
        {
            byte[] body = PageView(random, i);
            string agent = UserAgents[random.Next(UserAgents.Length)];
            var header = new EventHeader
            {
                UnixSeconds = 1_767_323_045 + (i / 1000),
                Ip = Encoding.ASCII.GetBytes(string.Join('.', random.Next(1, 224), random.Next(256), random.Next(256), random.Next(256))),
                UserAgent = string.Format(CultureInfo.InvariantCulture, agent, random.Next(110, 145), random.Next(7)),
            };
            var line = new byte[LineEncoder.MaxLength(header, body.Length)];
            lines.Write(line, 0, LineEncoder.Encode(header, body, line));
        }

        return lines.ToArray();
    }
}

/// <summary>What a body consists of.</summary>
public enum BodyKind
{
    /// <summary>Nothing to escape, ASCII.</summary>
    Plain,

    /// <summary>Page views: a quote every ten bytes.</summary>
    Json,

    /// <summary>Nothing to escape, three bytes a character.</summary>
    Korean,

    /// <summary>Nothing that needs no escape.</summary>
    Quotes,
}
