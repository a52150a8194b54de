// Bodies that all differ and look real: what wrk sends and what the encoders are measured with.
using System.Globalization;
using System.Text;

namespace Estat.Bench.Load;

/// <summary>The same bodies at every run: differences between runs are not theirs.</summary>
internal static class EventBodies
{
    private const int Seed = 20260101;
    private static readonly string[] Pages = ["/products/", "/cart?item=", "/search?q=%ED%95%9C%EA%B5%AD&page=", "/article/", "/checkout/step/"];
    private static readonly string[] Words = ["배송", "할인", "spring", "wide", "쿠폰", "review", "blue", "size", "오늘", "free", "return", "봄", "light",
        "특가"];

    /// <summary>Page views of about 500 bytes.</summary>
    internal static byte[][] PageViews(int count)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(1, count).Select(number => Encoding.UTF8.GetBytes(PageView(random, number)))];
    }

    /// <summary>Events of exactly so many bytes, 100 at least.</summary>
    internal static byte[][] OfSize(int bytes, int count)
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(1, count).Select(number => Padded(random, number, bytes))];
    }

    private static string PageView(Random random, int number) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        {"event_id":"{{Hex(random)}}-{{number % 65536:x4}}-{{Hex(random)}}","session":"s_{{random.Next():x}}",
        "type":"page_view","url":"https://shop.example.com{{Pages[number % Pages.Length]}}{{random.Next(1, 1_000_000)}}",
        "referrer":"https://www.google.com/search?q={{random.Next():x}}",
        "title":"상품 상세 페이지 {{random.Next(1, 100_000)}} — 오늘의 특가","price":{{random.Next(1, 900)}}.{{random.Next(100):00}},
        "ts":{{1_700_000_000 + number}},"user":{"id":{{random.Next(1, 10_000_000)}},"tier":"gold","age":{{random.Next(18, 80)}}},
        "viewport":{"w":{{random.Next(320, 2560)}},"h":{{random.Next(500, 1600)}}},
        "tags":["봄","세일","new"],"utm":{"source":"naver","medium":"cpc","campaign":"spring_{{random.Next():x}}","term":"{{random.Next():x}}"},
        "ab":"{{(number % 2 == 0 ? "A" : "B")}}","trace":"{{Hex(random)}}{{Hex(random)}}"}
        """).ReplaceLineEndings("");

    private static byte[] Padded(Random random, int number, int bytes)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{Hex(random)}}","ts":{{1_700_000_000 + number}},"text":" """);
        int length = text.Length;
        while (length < bytes - 32)
        {
            string word = Words[random.Next(Words.Length)];
            text.Append(word).Append(' ');
            length += Encoding.UTF8.GetByteCount(word) + 1;
        }

        while (length++ < bytes - 2)
        {
            text.Append((char)('a' + random.Next(26)));
        }

        return Encoding.UTF8.GetBytes(text.Append("\"}").ToString());
    }

    private static string Hex(Random random) => random.Next().ToString("x8", CultureInfo.InvariantCulture);
}
