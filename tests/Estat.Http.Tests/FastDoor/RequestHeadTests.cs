// What the fast door takes for a request, and what it leaves to Kestrel.
using System.Text;
using Estat.Http.FastDoor;

namespace Estat.Http.Tests.FastDoor;

public sealed class RequestHeadTests
{
    private const string Line = "POST /collect HTTP/1.1\r\n";
    private readonly RequestHead _head = new();

    [Theory]
    [InlineData("Host: e\r\nContent-Length: 5\r\n\r\n", 5)]
    [InlineData("host:estat.test:8080\r\ncontent-length:0\r\n\r\n", 0)]
    [InlineData("CONTENT-LENGTH:  17  \r\nConnection: Keep-Alive\r\nHOST: 10.0.0.1 \r\nX-Any: thing\r\nX-Any: thing\r\nX-Empty:\r\n\r\n", 17)]
    public void A_plain_head_is_read(string headers, int length)
    {
        Assert.True(TryRead(Line + headers + "body that follows"));

        Assert.Equal(Line.Length + headers.Length, _head.Length);
        Assert.Equal(length, _head.ContentLength);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Host: e\r\nContent-Length: 5\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\n\r")]
    [InlineData("Host: e\r\nContent-Length: 5\n\n")]
    [InlineData("Host: e\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: e\r\n\r\n")]
    [InlineData("Content-Length: 5\r\n\r\n")]
    [InlineData("Host: e\r\nHost: e\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: a b\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: [::1]\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: e:\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: e:80x\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host:\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: +5\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5,5\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length:\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 12345678\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\ncontent-encoding: gzip\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nEXPECT: 100-continue\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nUpgrade: h2c\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX : v\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX Y: v\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\n: v\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nnonsense\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX: a\r\n folded\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX: a\tb\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX: \u00ff\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX: a\0b\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nX: a\rb\r\n\r\n")]
    [InlineData("Host: e\r\nContent-Length: 5\r\nOrigin: a\r\nOrigin: b\r\n\r\n")]
    public void Any_doubt_leaves_it_to_Kestrel(string headers) => Assert.False(TryRead(Line + headers));

    [Theory]
    [InlineData("POST /collect HTTP/1.0\r\n")]
    [InlineData("POST /collect?a HTTP/1.1\r\n")]
    [InlineData("post /collect HTTP/1.1\r\n")]
    [InlineData("POST /Collect HTTP/1.1\r\n")]
    [InlineData("POST  /collect HTTP/1.1\r\n")]
    [InlineData("POST /collect HTTP/1.1\n")]
    public void Only_this_request_line_is_taken(string line) => Assert.False(TryRead(line + "Host: e\r\nContent-Length: 5\r\n\r\n"));

    [Fact]
    public void More_headers_than_a_client_has_are_left_to_Kestrel()
    {
        string few = string.Concat(Enumerable.Repeat("X: v\r\n", 46));

        Assert.True(TryRead($"{Line}Host: e\r\nContent-Length: 5\r\n{few}\r\n"));
        Assert.False(TryRead($"{Line}Host: e\r\nContent-Length: 5\r\n{few}X: v\r\n\r\n"));
    }

    [Fact]
    public void Texts_are_those_of_the_request_and_kept_while_they_stay_the_same()
    {
        Assert.True(TryRead($"{Line}Host: e\r\nContent-Length: 5\r\nUser-Agent:  one two \r\nOrigin:\r\n\r\n"));
        string first = _head.Text(KnownHeader.UserAgent)!;
        Assert.Equal(("one two", ""), (first, _head.Text(KnownHeader.Origin)));
        Assert.Null(_head.Text(KnownHeader.Cookie));

        Assert.True(TryRead($"{Line}Host: e\r\nContent-Length: 5\r\nUser-Agent: one two\r\n\r\n"));
        Assert.Same(first, _head.Text(KnownHeader.UserAgent));
        Assert.Null(_head.Text(KnownHeader.Origin));

        Assert.True(TryRead($"{Line}Host: e\r\nContent-Length: 5\r\nUser-Agent: one twO\r\n\r\n"));
        Assert.Equal("one twO", _head.Text(KnownHeader.UserAgent));
    }

    [Fact]
    public void Every_known_name_is_found_whatever_its_case()
    {
        (string Name, KnownHeader Header)[] all =
        [
            ("Host", KnownHeader.Host), ("Content-Length", KnownHeader.ContentLength), ("Connection", KnownHeader.Connection),
            ("Content-Type", KnownHeader.ContentType), ("X-Api-Key", KnownHeader.ApiKey), ("Authorization", KnownHeader.Authorization),
            ("Origin", KnownHeader.Origin), ("X-Estat-Ack", KnownHeader.AckLevel), ("Cookie", KnownHeader.Cookie),
            ("traceparent", KnownHeader.TraceParent), ("tracestate", KnownHeader.TraceState), ("X-Forwarded-For", KnownHeader.ForwardedFor),
            ("CloudFront-Viewer-Address", KnownHeader.ViewerAddress), ("User-Agent", KnownHeader.UserAgent),
            ("Idempotency-Key", KnownHeader.IdempotencyKey), ("Expect", KnownHeader.Foreign), ("Upgrade", KnownHeader.Foreign),
            ("Trailer", KnownHeader.Foreign), ("Content-Encoding", KnownHeader.Foreign), ("Transfer-Encoding", KnownHeader.Foreign),
        ];
        foreach ((string name, KnownHeader header) in all)
        {
            Assert.Equal(header, KnownHeaders.Find(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(header, KnownHeaders.Find(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
            Assert.Equal(KnownHeader.Other, KnownHeaders.Find(Encoding.ASCII.GetBytes(name[..^1] + "_")));
        }

        Assert.Equal(Enum.GetValues<KnownHeader>().Except([KnownHeader.Other]).Order(), all.Select(one => one.Header).Distinct().Order());
    }

    private bool TryRead(string latin1) => _head.TryRead(Encoding.Latin1.GetBytes(latin1), Encoding.ASCII.GetBytes(Line));
}
