// Requests that the fast door takes, and those that it only just leaves to Kestrel.
using System.Globalization;
using System.Text;
using Estat.Fuzz.Grammar;

namespace Estat.Fuzz.Differences;

/// <summary>
/// What real clients send, which <see cref="CaseGenerator"/> has too little of, with the headers that decide who reads it: each is written as it may
/// be, and now and then as it may not.
/// </summary>
internal static class PlainRequests
{
    /// <summary>A write key that the servers know.</summary>
    internal const string Key = "difference-key-0123456789";

    private static readonly string[] Lines =
    [
        "User-Agent: curl/8.5.0\r\n", "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n", "User-Agent:\r\n",
        "User-Agent: \xed\x95\x9c\r\n", "User-Agent: a\r\nUser-Agent: b\r\n", "User-Agent: a\tb\r\n", "USER-AGENT:   spaced   \r\n",
        "Content-Type: application/json\r\n", "content-type: text/plain;charset=UTF-8\r\n", "Content-Type: text/plain; charset=euc-kr\r\n",
        "Content-Type: text/plain; charset=nonsense\r\n", "Content-Type:\r\n",
        "Origin: https://shop.example\r\n", "origin: null\r\n", "Origin:\r\n", "Origin: a\r\nOrigin: b\r\n",
        "X-Estat-Ack: memory\r\n", "x-estat-ack: DISK\r\n", "X-Estat-Ack: paper\r\n", "X-Estat-Ack:\r\n",
        "X-Estat-Ack: memory\r\nX-Estat-Ack: disk\r\n",
        "Idempotency-Key: 00000000-0000-0000-0000-000000000001\r\n", "Idempotency-Key: \"},{\"\r\n", "Idempotency-Key:\r\n",
        "Cookie: a=b; c=d\r\n", "Cookie: estat_session=secret; a=b\r\n", "Cookie: a\r\nCookie: b\r\n",
        "X-Forwarded-For: 203.0.113.7, 10.0.0.1\r\n", "x-forwarded-for: nonsense\r\n", "X-Forwarded-For:\r\n",
        "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n",
        "CloudFront-Viewer-Address: 203.0.113.9:443\r\n", "Forwarded: for=203.0.113.1\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n", "tracestate: a=b\r\n", "traceparent: nonsense\r\n",
        "Connection: keep-alive\r\n", "connection: Keep-Alive\r\n", "Connection: close\r\n", "Connection: close, keep-alive\r\n", "Connection:\r\n",
        "Keep-Alive: timeout=5\r\n", "Accept: */*\r\n", "Accept-Encoding: gzip\r\n", "X-Unknown: \xff\r\n", "X-Unknown: v\r\n", "X-Tab:\tv\t\r\n",
        "Content-Encoding: identity\r\n", "Content-Encoding: gzip\r\n", "Expect: 100-continue\r\n", "Upgrade: h2c\r\n", "TE: trailers\r\n",
        "Transfer-Encoding: chunked\r\n", "Authorization: Basic ZGlmZmVyZW5jZTp4\r\n", "Authorization: Bearer x\r\n", "X-Api-Key: wrong\r\n",
        $"X-Api-Key: {Key}\r\n", $"x-api-key:{Key}\r\n", $"X-Api-Key: {Key}\r\nX-Api-Key: {Key}\r\n",
        "X Y: v\r\n", "X-Empty-Name\r\n", ": v\r\n", "X: a\0b\r\n",
        "X: a\rb\r\n", "X: folded\r\n more\r\n", "X-Lf: v\n", "Host: other.test\r\n", "Date: never\r\n",
    ];

    /// <summary>Some requests of one connection.</summary>
    internal static byte[] Connection(Dice dice)
    {
        var bytes = new List<byte>();
        int count = dice.OneIn(3) ? dice.Size(dice.OneIn(10) ? 300 : 20) : 1;
        // A client's requests look alike: what a connection remembers of the last one is used again.
        string usual = Headers(dice, dice.Below(4));
        for (int i = 0; i < count; i++)
        {
            bytes.AddRange(One(dice, dice.OneIn(4) ? Headers(dice, dice.Below(6)) : usual));
        }

        return [.. bytes];
    }

    private static byte[] One(Dice dice, string headers)
    {
        byte[] body = dice.OneIn(12) ? [] : dice.OneIn(8) ? EventBodies.Any(dice) : EventBodies.InvalidUtf8(dice) is var odd && dice.OneIn(6) ? odd
            : Encoding.UTF8.GetBytes($"{{\"event\":\"click\",\"n\":{dice.Next()}}}");
        string length = dice.OneIn(25)
            ? dice.Of("-1", "+5", "5 ", "05", " 5", "0x5", "5,5", "99999999", "", "18446744073709551616", body.Length + "\r\nContent-Length: 3")
            : body.Length.ToString(CultureInfo.InvariantCulture);
        string line = dice.OneIn(25)
            ? dice.Of("POST /collect HTTP/1.0", "POST /collect?key=" + Key + " HTTP/1.1", "POST /collect? HTTP/1.1", "post /collect HTTP/1.1",
                "POST  /collect HTTP/1.1", "POST /Collect HTTP/1.1", "POST /collect/ HTTP/1.1", "POST /%63ollect HTTP/1.1", "PUT /collect HTTP/1.1",
                "POST http://estat.test/collect HTTP/1.1", "POST /collect HTTP/1.1 ", "GET /collect?a HTTP/1.1", "OPTIONS /collect HTTP/1.1",
                "POST /collect/batch HTTP/1.1", "POST /./collect HTTP/1.1", "POST //collect HTTP/1.1")
            : "POST /collect HTTP/1.1";
        string host = dice.OneIn(15)
            ? dice.Of("", "Host:\r\n", "Host: a b\r\n", "Host: [::1]:80\r\n", "Host: e:99999\r\n", "Host: e:\r\n", "Host: :80\r\n",
                "Host: e_f\r\n", "Host: e/f\r\n",
                "Host: \xff\r\n", "host:estat.test:8080 \r\n", "Host: e@f\r\n")
            : "Host: estat.test\r\n";
        string[] parts = [host, $"{dice.Of("Content-Length", "content-length")}:{dice.Of(" ", "", "  ")}{length}\r\n", headers];
        dice.Shuffle(parts);
        return [.. Encoding.Latin1.GetBytes($"{line}\r\n{string.Concat(parts)}\r\n"), .. body];
    }

    private static string Headers(Dice dice, int count)
    {
        var text = new StringBuilder();
        for (; count > 0; count--)
        {
            text.Append(dice.Of(Lines));
        }

        return text.ToString();
    }
}
