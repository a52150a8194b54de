// Which web pages may send, and what their browsers are told.
using System.Net;
using System.Text;
using Estat.Api.Options;
using Estat.Base.Options;

namespace Estat.Api.Tests.Http;

public sealed class CorsTests
{
    private const string Shop = "https://shop.example";
    private const string Other = "https://blog.example:8443";
    private const string Read = "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Api-Key, X-Estat-Ack, traceparent, tracestate";
    private const string Foreign = "https://evil.example";

    [Theory]
    [InlineData("/collect")]
    [InlineData("/collect.gif")]
    [InlineData("/collect/batch")]
    public async Task By_default_any_page_gets_its_preflight(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        using HttpResponseMessage answer = await PreflightAsync(server, path, Shop);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(Shop, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(answer, "Access-Control-Allow-Credentials"));
        Assert.Equal("Origin", Header(answer, "Vary"));
        Assert.Contains("POST", Header(answer, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Contains("GET", Header(answer, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Equal("content-type, idempotency-key", Header(answer, "Access-Control-Allow-Headers"));
        Assert.True(int.Parse(Header(answer, "Access-Control-Max-Age")!, System.Globalization.CultureInfo.InvariantCulture) >= 600);
    }

    [Theory]
    [InlineData("traceparent,tracestate,baggage,x-requested-with,cache-control", "traceparent, tracestate, baggage, x-requested-with, cache-control")]
    [InlineData("X-Datadog-Trace-Id, sentry-trace", "X-Datadog-Trace-Id, sentry-trace")]
    [InlineData("content-type,x-forwarded-for,forwarded,cloudfront-viewer-address", "content-type")]
    [InlineData("no header name", Read)]
    [InlineData("한", Read)]
    [InlineData(",", Read)]
    [InlineData("", Read)]
    [InlineData(null, Read)]
    public async Task A_page_may_send_the_headers_that_it_asks_for_but_for_those_that_proxies_send(string? asked, string allowed)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        string line = asked is null ? "" : $"Access-Control-Request-Headers: {asked}\r\n";

        await connection.SendAsync(Encoding.UTF8.GetBytes(
            $"OPTIONS /collect HTTP/1.1\r\nHost: e\r\nOrigin: {Shop}\r\nAccess-Control-Request-Method: POST\r\n{line}\r\n"));

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(204, answer.Status);
        Assert.Equal([allowed], answer.Headers["Access-Control-Allow-Headers"]);
    }

    [Fact]
    public async Task More_headers_than_a_page_can_mean_are_not_repeated()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        foreach (string asked in new[] { string.Join(',', Enumerable.Range(0, 65).Select(i => $"h{i}")), new string('a', 2049) })
        {
            await connection.SendAsync($"OPTIONS /collect HTTP/1.1\r\nHost: e\r\nOrigin: {Shop}\r\nAccess-Control-Request-Headers: {asked}\r\n\r\n");

            Assert.Equal([Read], (await connection.ReadAnswerAsync()).Headers["Access-Control-Allow-Headers"]);
        }
    }

    [Theory]
    [InlineData("null", true)]
    [InlineData("capacitor://localhost", true)]
    [InlineData("https://한국.example", false)]
    [InlineData("a b", false)]
    [InlineData("two\r\nOrigin: lines", false)]
    public async Task Where_any_page_may_send_its_origin_is_named_whatever_it_is_if_a_browser_can_have_written_it(string origin, bool isNamed)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(Encoding.UTF8.GetBytes($"POST /collect HTTP/1.1\r\nHost: e\r\nOrigin: {origin}\r\nContent-Length: 1\r\n\r\nx"));

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(200, answer.Status);
        Assert.Equal(isNamed ? [origin] : [], answer.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal(isNamed ? ["true"] : [], answer.Headers["Access-Control-Allow-Credentials"]);
        Assert.Equal(["x"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData(Shop, "true")]
    [InlineData(Foreign, null)]
    public async Task A_page_of_the_internet_may_send_to_a_private_address_if_its_origin_is_listed(string origin, string? isAllowed)
    {
        await using RunningServer server = await RunningServer.StartAsync(Listed);

        using HttpResponseMessage answer = await PreflightAsync(server, "/collect", origin, "Access-Control-Request-Private-Network");

        Assert.Equal(isAllowed, Header(answer, "Access-Control-Allow-Private-Network"));
    }

    [Theory]
    [InlineData(Shop)]
    [InlineData(Other)]
    [InlineData("https://SHOP.example")]
    [InlineData("https://kr.blog.example")]
    [InlineData("https://xn--3e0b707e.example")]
    [InlineData("capacitor://localhost")]
    public async Task A_listed_origin_is_named_back_and_may_send_credentials(string origin)
    {
        await using RunningServer server = await RunningServer.StartAsync(Listed);

        using HttpResponseMessage preflight = await PreflightAsync(server, "/collect", origin);
        using HttpResponseMessage answer = await PostAsync(server, "/collect", "x", origin);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (HttpResponseMessage each in new[] { preflight, answer })
        {
            Assert.Equal(origin, Header(each, "Access-Control-Allow-Origin"));
            Assert.Equal("true", Header(each, "Access-Control-Allow-Credentials"));
            Assert.Equal("Origin", Header(each, "Vary"));
        }
    }

    [Theory]
    [InlineData(Foreign)]
    [InlineData("null")]
    [InlineData("https://shop.example.evil.example")]
    [InlineData("http://shop.example")]
    [InlineData("https://shop.example:444")]
    [InlineData("https://blog.example")]
    public async Task A_foreign_origin_gets_no_permission(string origin)
    {
        await using RunningServer server = await RunningServer.StartAsync(Listed);

        using HttpResponseMessage preflight = await PreflightAsync(server, "/collect", origin);
        using HttpResponseMessage answer = await PostAsync(server, "/collect", "x", origin);

        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        foreach (HttpResponseMessage each in new[] { preflight, answer })
        {
            Assert.DoesNotContain(each.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
            Assert.Equal("Origin", Header(each, "Vary"));
        }
    }

    [Fact]
    public async Task A_request_that_comes_from_no_page_passes_without_CORS()
    {
        await using RunningServer server = await RunningServer.StartAsync(Listed);

        using HttpResponseMessage answer = await PostAsync(server, "/collect", "x", origin: null);
        using HttpResponseMessage options = await PreflightAsync(server, "/collect", origin: null);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, options.StatusCode);
        Assert.DoesNotContain(
            answer.Headers.Concat(options.Headers), header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(["x"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task What_sendBeacon_posts_is_stored_without_a_preflight()
    {
        const string Event = """{"type":"unload","page":"/결제"}""";
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        byte[] body = Encoding.UTF8.GetBytes(Event);

        await connection.SendAsync(RawHttp.Post(
            $"Origin: {Shop}\r\nContent-Type: text/plain;charset=UTF-8\r\nSec-Fetch-Mode: no-cors\r\nReferer: {Shop}/\r\nContent-Length: "
                + $"{body.Length}\r\n"));
        await connection.SendAsync(body);

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(200, answer.Status);
        Assert.Equal([Shop], answer.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal(["true"], answer.Headers["Access-Control-Allow-Credentials"]);
        Assert.Equal([Event], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("/collect", "", HttpStatusCode.BadRequest)]
    [InlineData("/collect/batch", "[1,", HttpStatusCode.BadRequest)]
    [InlineData("/collect", "too large", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("/collect", "br", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/collect", null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("/collect/batch", null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("/collect.gif", null, HttpStatusCode.MethodNotAllowed)]
    public async Task A_page_can_read_its_errors(string path, string? body, HttpStatusCode status)
    {
        await using RunningServer server = await RunningServer.StartAsync(options =>
            Listed(options with { Collect = options.Collect with { MaxBodySize = 5 } }));
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Put : HttpMethod.Post, path) { Content = new StringContent(body ?? "") };
        request.Headers.Add("Origin", Shop);
        if (status == HttpStatusCode.UnsupportedMediaType)
        {
            request.Content.Headers.ContentEncoding.Add("zstd");
        }

        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(Shop, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Contains("Retry-After", Header(answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
    }

    private static EstatOptions Listed(EstatOptions options) => options with
    {
        Http = options.Http with
        {
            CorsOrigins =
            [
                Shop, Other,
                .. new[] { "https://*.blog.example", "https://한국.example:443", "capacitor://localhost" }.Select(text => PageOrigins.Parse(text)!),
            ],
        },
    };

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;

    private static async Task<HttpResponseMessage> PreflightAsync(RunningServer server, string path, string? origin, string? asks = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type,idempotency-key");
        if (asks is not null)
        {
            request.Headers.Add(asks, "true");
        }

        return await server.Client.SendAsync(request);
    }

    private static async Task<HttpResponseMessage> PostAsync(RunningServer server, string path, string body, string? origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        return await server.Client.SendAsync(request);
    }
}
