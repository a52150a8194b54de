// Bodies as a page's tracker sends them: about 500 bytes, much alike, no two the same.

using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Estat.Testing;

/// <summary>
/// One shape of body, built in advance but for what tells events apart: the number (in <c>id</c> and <c>n</c>), the time and a visitor's
/// id. Immutable; shared by all connections.
/// </summary>
internal sealed class EventBody
{
    private const int VisitorDigits = 16;
    private static readonly string[] Words =
    [
        "한국어", "가을", "신상", "무료배송", "특가", "운동화", "캠핑", "의자", "커피",
        "원두", "블루투스", "이어폰", "겨울", "니트", "도서", "여행", "가방", "수분크림",
    ];

    private static readonly string[] Sources = ["naver", "google", "kakao", "instagram", "newsletter", "direct"];
    private readonly byte[] _beforeNumber;
    private readonly byte[] _beforeVisitor;
    private readonly byte[] _beforeSecondNumber;
    private readonly byte[] _beforeTime = Encoding.UTF8.GetBytes(",\"t\":");
    private readonly byte[] _end = Encoding.UTF8.GetBytes("}");

    private EventBody(string run, Random random)
    {
        var title = string.Join(' ', random.GetItems(Words, random.Next(12, 18)));
        var source = Sources[random.Next(Sources.Length)];
        var product = random.Next(10_000, 9_999_999);
        _beforeNumber = Encoding.UTF8.GetBytes($"{{\"id\":\"{run}-");
        _beforeVisitor = Encoding.UTF8.GetBytes("\",\"visitor\":\"");
        _beforeSecondNumber = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"\",\"type\":\"page_view\",\"url\":\"https://shop.example.kr/products/{product}?utm_source={source}&page={random.Next(1, 40)}\","
            + $"\"title\":\"{title} | 예시상점\",\"referrer\":\"https://search.example.com/?q={product % 977}\","
            + $"\"screen\":\"{random.Next(360, 2560)}x{random.Next(640, 1440)}\",\"lang\":\"ko-KR\",\"timezone\":\"Asia/Seoul\","
            + $"\"campaign\":\"2026-{random.Next(1, 13):00}-season-{random.Next(100):00}\","
            + $"\"cart\":[{{\"sku\":\"P-{product}\",\"price\":{random.Next(10, 900)}00,\"qty\":{random.Next(1, 5)}}}],\"n\":"));
    }

    /// <summary>A choice of shapes.</summary>
    public static EventBody[] Shapes(string run, int count)
    {
        // The same shapes in every run, so that runs can be compared.
        var random = new Random(20260102);
        return [.. Enumerable.Range(0, count).Select(_ => new EventBody(run, random))];
    }

    /// <summary>Writes the body and returns its length.</summary>
    public int Write(Span<byte> target, long number, long time)
    {
        var at = 0;
        Append(_beforeNumber, target, ref at);
        Append(number, target, ref at);
        Append(_beforeVisitor, target, ref at);
        // Multiplied by an odd constant: every number has a visitor of its own, and gzip finds no pattern in them.
        Utf8Formatter.TryFormat(unchecked((ulong)number * 0x9E3779B97F4A7C15), target[at..], out var written, new('x', VisitorDigits));
        at += written;
        Append(_beforeSecondNumber, target, ref at);
        Append(number, target, ref at);
        Append(_beforeTime, target, ref at);
        Append(time, target, ref at);
        Append(_end, target, ref at);
        return at;
    }

    /// <summary>The number of a body that <see cref="Write"/> wrote; null for any other.</summary>
    public static long? NumberOf(string body)
    {
        const string Start = "{\"id\":\"";
        if (!body.StartsWith(Start, StringComparison.Ordinal))
        {
            return null;
        }

        var id = body.AsSpan(Start.Length);
        var end = id.IndexOf('"');
        var dash = end < 0 ? -1 : id[..end].LastIndexOf('-');
        return dash >= 0 && long.TryParse(id[(dash + 1)..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static void Append(byte[] bytes, Span<byte> target, ref int at)
    {
        bytes.CopyTo(target[at..]);
        at += bytes.Length;
    }

    private static void Append(long number, Span<byte> target, ref int at)
    {
        Utf8Formatter.TryFormat(number, target[at..], out var written);
        at += written;
    }
}
