// Which web pages may send, and what their browsers are told.
using System.Net;
using Estat.Core.Options;

namespace Estat.Api.Tests.Http;

public sealed class CorsTests
{
    private const string Shop = "https://shop.example";
    private const string Other = "https://blog.example:8443";
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
        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
        Assert.Null(Header(answer, "Access-Control-Allow-Credentials"));
        Assert.Contains("POST", Header(answer, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Contains("GET", Header(answer, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        string allowed = Header(answer, "Access-Control-Allow-Headers")!;
        Assert.All(["Content-Type", "Content-Encoding", "Idempotency-Key", "X-Estat-Ack"], name => Assert.Contains(name, allowed, StringComparison.Ordinal));
        Assert.True(int.Parse(Header(answer, "Access-Control-Max-Age")!, System.Globalization.CultureInfo.InvariantCulture) >= 600);
    }

    [Theory]
    [InlineData(Shop)]
    [InlineData(Other)]
    [InlineData("https://SHOP.example")]
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
        Assert.DoesNotContain(answer.Headers.Concat(options.Headers), header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(["x"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task What_sendBeacon_posts_is_stored_without_a_preflight()
    {
        const string Event = """{"type":"unload","page":"/결제"}""";
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        byte[] body = System.Text.Encoding.UTF8.GetBytes(Event);

        await connection.SendAsync(RawHttp.Post(
            $"Origin: {Shop}\r\nContent-Type: text/plain;charset=UTF-8\r\nSec-Fetch-Mode: no-cors\r\nReferer: {Shop}/\r\nContent-Length: {body.Length}\r\n"));
        await connection.SendAsync(body);

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(200, answer.Status);
        Assert.Equal(["*"], answer.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal([Event], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("/collect", "", HttpStatusCode.BadRequest)]
    [InlineData("/collect/batch", "[1,", HttpStatusCode.BadRequest)]
    [InlineData("/collect", "too large", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("/collect", "br", HttpStatusCode.UnsupportedMediaType)]
    public async Task A_page_can_read_its_errors(string path, string body, HttpStatusCode status)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => Listed(options) with { MaxBodySize = 5 });
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
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

    private static EstatOptions Listed(EstatOptions options) => options with { CorsOrigins = [Shop, Other] };

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;

    private static async Task<HttpResponseMessage> PreflightAsync(RunningServer server, string path, string? origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type,idempotency-key");
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
