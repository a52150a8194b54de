// Wrong requests: each has its status, none leaves anything behind.
using System.Net;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class BadRequestTests
{
    private const string Host = "Host: estat.test\r\n";
    private const string OneByte = "Content-Length: 1\r\n\r\nx";

    // What Kestrel cannot read as HTTP it answers itself, without a body, and closes: nobody knows where the next request would begin.
    public static TheoryData<string, int, string> MalformedHttp => new()
    {
        { "no HTTP at all", 400, "QUIT\r\n\r\n" },
        { "NULs", 400, "\0\0\0\0\0\0\r\n\r\n" },
        { "a TLS greeting", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" },
        { "two blanks in the request line", 400, $"POST  /collect HTTP/1.1\r\n{Host}{OneByte}" },
        { "no version", 400, "POST /collect\r\n\r\n" },
        { "an unknown version", 505, $"POST /collect HTTP/3.0\r\n{Host}{OneByte}" },
        { "a NUL in the path", 400, $"GET /collect%00?x HTTP/1.1\r\n{Host}\r\n" },
        { "raw UTF-8 in the query", 400, $"GET /collect?\xed\x95\x9c HTTP/1.1\r\n{Host}\r\n" },
        { "a request line past its limit", 414, $"GET /collect?{new string('q', 20_000)} HTTP/1.1\r\n{Host}\r\n" },
        { "no Host", 400, $"POST /collect HTTP/1.1\r\n{OneByte}" },
        { "two Hosts", 400, $"POST /collect HTTP/1.1\r\n{Host}{Host}{OneByte}" },
        { "a Host that is none", 400, $"POST /collect HTTP/1.1\r\nHost: a b/c\r\n{OneByte}" },
        { "a target for another host", 400, $"GET http://other.test/collect?x HTTP/1.1\r\n{Host}\r\n" },
        { "a header without a colon", 400, $"POST /collect HTTP/1.1\r\n{Host}nonsense\r\n{OneByte}" },
        { "a header without a name", 400, $"POST /collect HTTP/1.1\r\n{Host}: value\r\n{OneByte}" },
        { "a blank in a header's name", 400, $"POST /collect HTTP/1.1\r\n{Host}X Y: value\r\n{OneByte}" },
        { "a blank before the colon", 400, $"POST /collect HTTP/1.1\r\n{Host}X : value\r\n{OneByte}" },
        { "a folded header", 400, $"POST /collect HTTP/1.1\r\n{Host}X: a\r\n b\r\n{OneByte}" },
        { "a NUL in a header", 400, $"POST /collect HTTP/1.1\r\n{Host}User-Agent: a\0b\r\n{OneByte}" },
        { "a bare CR in a header", 400, $"POST /collect HTTP/1.1\r\n{Host}X: a\rb\r\n{OneByte}" },
        { "lines that end in bare line feeds", 400, "POST /collect HTTP/1.1\nHost: estat.test\nContent-Length: 1\n\nx" },
        { "a request line that ends in one", 400, $"POST /collect HTTP/1.1\n{Host}{OneByte}" },
        { "a header that ends in one", 400, $"POST /collect HTTP/1.1\r\n{Host}X: a\n{OneByte}" },
        { "headers that end in one", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 1\r\n\nx" },
        { "headers past their limit", 431, $"POST /collect HTTP/1.1\r\n{Host}Cookie: {new string('c', 20_000)}\r\n{OneByte}" },
        { "too many headers", 431,
            $"POST /collect HTTP/1.1\r\n{Host}{string.Concat(Enumerable.Range(0, 100).Select(i => $"X-{i}: v\r\n"))}{OneByte}" },
        { "a length that is no number", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: one\r\n\r\nx" },
        { "a negative length", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: -1\r\n\r\nx" },
        { "a length beyond 64 bits", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 99999999999999999999\r\n\r\nx" },
        { "a length of very many digits", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 9999999999999999999999\r\n\r\nx" },
        { "a length with a plus", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: +1\r\n\r\nx" },
        { "a length of minus nothing", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: -0\r\n\r\n" },
        { "two lengths in one header", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 1, 1\r\n\r\nx" },
        { "two equal lengths", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" },
        { "two different lengths", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy" },
        { "no length in HTTP/1.0", 400, "POST /collect HTTP/1.0\r\n\r\nx" },
        { "a transfer coding that is not chunked", 400, $"POST /collect HTTP/1.1\r\n{Host}Transfer-Encoding: gzip\r\n\r\nx" },
        { "chunked, but not last", 400, $"POST /collect HTTP/1.1\r\n{Host}Transfer-Encoding: chunked, gzip\r\n\r\n1\r\nx\r\n0\r\n\r\n" },
        { "chunked, misspelt", 400, $"POST /collect HTTP/1.1\r\n{Host}Transfer-Encoding: xchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(MalformedHttp))]
    public async Task Malformed_HTTP_is_refused_and_ends_the_connection(string what, int status, string request)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using (RawHttp connection = await server.ConnectAsync())
        {
            await connection.SendAsync(request);
            RawAnswer answer = await connection.ReadAnswerAsync();
            Assert.True(status == answer.Status, $"{what}: {answer.Status}");
            Assert.Empty(answer.Body);
            await connection.UntilClosedAsync();
        }

        await OnlyGoodEventsAreStoredAsync(server);
    }

    private static string Chunked(string body) => $"POST /collect HTTP/1.1\r\n{Host}Transfer-Encoding: chunked\r\n\r\n{body}";

    public static TheoryData<string, int, string> WrongRequests => new()
    {
        { "an empty body", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 0\r\n\r\n" },
        { "no body", 400, $"POST /collect HTTP/1.1\r\n{Host}\r\n" },
        { "no chunk", 400, Chunked("0\r\n\r\n") },
        { "a chunk size that is no number", 400, Chunked("ZZ\r\nabc\r\n0\r\n\r\n") },
        { "a negative chunk size", 400, Chunked("-1\r\nabc\r\n0\r\n\r\n") },
        { "a chunk size beyond 32 bits", 400, Chunked("FFFFFFFF1\r\nabc\r\n0\r\n\r\n") },
        { "a chunk size beyond 64 bits", 400, Chunked("FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n") },
        { "no chunk size", 400, Chunked("\r\nabc\r\n0\r\n\r\n") },
        { "a chunk longer than it says", 400, Chunked("3\r\nabcd\r\n0\r\n\r\n") },
        { "chunks with bare line feeds", 400, Chunked("3\nabc\n0\n\n") },
        { "a chunk size with a bare line feed", 400, Chunked("1\nx\r\n0\r\n\r\n") },
        { "a chunk extension with a bare line feed", 400, Chunked("1;a\nx\r\n0\r\n\r\n") },
        { "a chunk with a bare line feed", 400, Chunked("1\r\nx\n0\r\n\r\n") },
        { "a trailer with a bare line feed", 400, Chunked("1\r\nx\r\n0\r\nX: a\n\r\n") },
        { "a NUL in a trailer", 400, Chunked("1\r\nx\r\n0\r\nX: \0\r\n\r\n") },
        { "a huge length", 413, $"POST /collect HTTP/1.1\r\n{Host}Content-Length: 9223372036854775807\r\n\r\nx" },
        { "a transfer coding before chunked", 501, $"POST /collect HTTP/1.1\r\n{Host}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" },
        { "an unknown ack level", 400, $"POST /collect HTTP/1.1\r\n{Host}X-Estat-Ack: paper\r\n{OneByte}" },
        { "an ack level not on offer", 400, $"POST /collect HTTP/1.1\r\n{Host}X-Estat-Ack: replica\r\n{OneByte}" },
        { "two ack levels", 400, $"POST /collect HTTP/1.1\r\n{Host}X-Estat-Ack: memory\r\nX-Estat-Ack: memory\r\n{OneByte}" },
        { "an unknown ack level of a pixel", 400, $"GET /collect.gif?x HTTP/1.1\r\n{Host}X-Estat-Ack: paper\r\n\r\n" },
        { "an unknown ack level of a batch", 400, $"POST /collect/batch HTTP/1.1\r\n{Host}X-Estat-Ack: paper\r\n{OneByte}" },
        { "an unknown encoding", 415, $"POST /collect HTTP/1.1\r\n{Host}Content-Encoding: zstd\r\n{OneByte}" },
        { "two encodings", 415, $"POST /collect HTTP/1.1\r\n{Host}Content-Encoding: gzip, br\r\n{OneByte}" },
        { "two encoding headers", 415, $"POST /collect HTTP/1.1\r\n{Host}Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n{OneByte}" },
        { "gzip that is none", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Encoding: gzip\r\n{OneByte}" },
        { "br that is none", 400, $"POST /collect HTTP/1.1\r\n{Host}Content-Encoding: br\r\nContent-Length: 4\r\n\r\n\xff\xff\xff\xff" },
        { "the root", 404, $"GET / HTTP/1.1\r\n{Host}\r\n" },
        { "an unknown path", 404, $"POST /collects HTTP/1.1\r\n{Host}{OneByte}" },
        { "a slash too many", 404, $"POST /collect/ HTTP/1.1\r\n{Host}{OneByte}" },
        { "another case", 404, $"POST /Collect HTTP/1.1\r\n{Host}{OneByte}" },
        { "a path that climbs", 404, $"POST /collect/../../etc/passwd HTTP/1.1\r\n{Host}{OneByte}" },
        { "OPTIONS of everything", 404, $"OPTIONS * HTTP/1.1\r\n{Host}\r\n" },
        { "PUT", 405, $"PUT /collect HTTP/1.1\r\n{Host}{OneByte}" },
        { "DELETE", 405, $"DELETE /collect HTTP/1.1\r\n{Host}\r\n" },
        { "a method that nobody knows", 405, $"BREW /collect/batch HTTP/1.1\r\n{Host}{OneByte}" },
        { "a method in small letters", 405, $"post /collect HTTP/1.1\r\n{Host}{OneByte}" },
        { "head in small letters", 405, $"head /collect HTTP/1.1\r\n{Host}\r\n" },
        { "head of health in small letters", 405, $"head /health HTTP/1.1\r\n{Host}\r\n" },
        { "GET of a batch", 405, $"GET /collect/batch?x HTTP/1.1\r\n{Host}\r\n" },
        { "POST of a pixel", 405, $"POST /collect.gif HTTP/1.1\r\n{Host}{OneByte}" },
        { "POST of health", 405, $"POST /health/ready HTTP/1.1\r\n{Host}{OneByte}" },
        { "POST of metrics", 405, $"POST /metrics HTTP/1.1\r\n{Host}{OneByte}" },
    };

    [Theory]
    [MemberData(nameof(WrongRequests))]
    public async Task A_wrong_request_is_answered_with_a_problem_document(string what, int status, string request)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using (RawHttp connection = await server.ConnectAsync())
        {
            await connection.SendAsync(request);
            RawAnswer answer = await connection.ReadAnswerAsync();
            Assert.True(status == answer.Status, $"{what}: {answer.Status} {answer.Text}");
            _ = answer.Detail;
            Assert.Equal(status == 405, answer.Headers["Allow"].Any());
            Assert.Equal(status == 415, answer.Headers["Accept-Encoding"].Any());
        }

        await OnlyGoodEventsAreStoredAsync(server);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n")]
    [InlineData("Content-Length: five\r\n")]
    [InlineData("X-Sum: 1\r\nX-Sum: 2\r\n")]
    public async Task Trailers_are_read_over_whatever_they_are_called(string trailers)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await connection.SendAsync(Chunked($"4\r\ngood\r\n0\r\n{trailers}\r\n"));
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal(["good", "good"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_length_that_is_none_is_no_word_in_the_log()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_LEVEL"] = "warning" });
        using RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);

        await connection.SendAsync($"POST /collect HTTP/1.1\r\n{Host}Content-Length: {new string('9', 100)}\r\n\r\nx");

        Assert.Equal(400, (await connection.ReadAnswerAsync()).Status);
        await connection.UntilClosedAsync();
        Assert.Empty(server.Output);
    }

    [Theory]
    [InlineData("/collect", "GET, POST, OPTIONS")]
    [InlineData("/collect.gif", "GET, OPTIONS")]
    [InlineData("/collect/batch", "POST, OPTIONS")]
    [InlineData("/health", "GET, HEAD")]
    [InlineData("/metrics", "GET, HEAD")]
    public async Task A_wrong_method_is_told_the_right_ones(string path, string methods)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        using var request = new HttpRequestMessage(HttpMethod.Patch, path);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(methods, string.Join(", ", answer.Content.Headers.Allow));
    }

    [Fact]
    public async Task HEAD_of_a_path_that_has_none_is_answered_without_a_body()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync($"HEAD /collect HTTP/1.1\r\n{Host}\r\n");

        // The next answer begins where the head ends: a body in between would be taken for it.
        RawAnswer head = await connection.ReadHeadAsync();
        await connection.SendAsync($"GET /health HTTP/1.1\r\n{Host}\r\n");
        Assert.Equal(405, head.Status);
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
    }

    [Fact]
    public async Task A_wrong_event_does_not_cost_the_connection()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        foreach (string request in new[]
        {
            RawHttp.Post("Content-Length: 0\r\n"), RawHttp.Post("X-Estat-Ack: paper\r\nContent-Length: 5\r\n") + "wrong",
            RawHttp.Post("Content-Encoding: zstd\r\nContent-Length: 5\r\n") + "wrong", RawHttp.Post("Content-Length: 5\r\n", "/nowhere") + "wrong",
            RawHttp.Post("Content-Encoding: gzip\r\nContent-Length: 5\r\n") + "wrong", RawHttp.Post("Content-Length: 5\r\n", "/health") + "wrong",
        })
        {
            await connection.SendAsync(request);
            Assert.InRange((await connection.ReadAnswerAsync()).Status, 400, 499);
        }

        await connection.SendAsync(RawHttp.Post("Content-Length: 5\r\n") + "right");

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        Assert.Equal(["right"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task With_both_a_length_and_chunks_the_chunks_count_and_nothing_behind_them_is_a_request()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(RawHttp.Post("Content-Length: 100\r\nTransfer-Encoding: chunked\r\n") + "4\r\nreal\r\n0\r\n\r\n"
            + RawHttp.Post("Content-Length: 8\r\n") + "smuggled");

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        await connection.UntilClosedAsync();
        Assert.Equal(["real"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("POST /collect", 200)]
    [InlineData("POST /collect/batch", 200)]
    [InlineData("GET /collect?real", 200)]
    [InlineData("GET /health", 200)]
    [InlineData("DELETE /collect", 405)]
    [InlineData("GET /nowhere", 404)]
    public async Task Chunks_in_HTTP_1_0_end_the_connection_and_nothing_behind_them_is_a_request(string target, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync($"{target} HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nreal\r\n0\r\n\r\n"
            + RawHttp.Post("Content-Length: 8\r\n") + "smuggled");

        RawAnswer answer = await connection.ReadHeadAsync();
        Assert.Equal(status, answer.Status);
        Assert.Equal(["close"], answer.Headers["Connection"]);
        await connection.UntilClosedAsync();
        Assert.DoesNotContain("smuggled", await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task HTTP_1_0_with_a_length_may_go_on()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await connection.SendAsync("POST /collect HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nreal");
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal(["real", "real"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Random_bytes_in_place_of_requests_hurt_nobody()
    {
        var random = new Random(20260102);
        await using RunningServer server = await RunningServer.StartAsync();
        for (int i = 0; i < 200; i++)
        {
            var noise = new byte[random.Next(1, 3000)];
            random.NextBytes(noise);
            using RawHttp connection = await server.ConnectAsync();
            await connection.TrySendAsync((i % 2 == 0 ? "POST /collect HTTP/1.1\r\n" : "") + Encoding.Latin1.GetString(noise) + "\r\n\r\n");
        }

        await OnlyGoodEventsAreStoredAsync(server);
    }

    private static async Task OnlyGoodEventsAreStoredAsync(RunningServer server)
    {
        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("good"));
        // A client may have its answer before the server has counted the request's end.
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, TimeSpan.FromSeconds(20), "all requests to end");
        Assert.Equal(["good"], await server.DrainBodiesAsync());
    }
}
