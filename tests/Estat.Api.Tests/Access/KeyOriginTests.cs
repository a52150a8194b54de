// A key for pages of some origins: what a browser is told.
using System.Net;

namespace Estat.Api.Tests.Access;

public sealed class KeyOriginTests : IDisposable
{
    private const string Shop = "https://shop.example";
    private const string Evil = "https://evil.example";
    private readonly KeyFile _file = new(
        new { name = "shop", sha256 = KeyFile.Hash("shop"), origins = new[] { Shop, "https://*.shop.example:443", "capacitor://localhost" } },
        new { name = "any", sha256 = KeyFile.Hash("any") });

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData(Shop, "shop", 200, Shop)]
    [InlineData("https://SHOP.example", "shop", 200, "https://SHOP.example")]
    [InlineData("https://kr.shop.example", "shop", 200, "https://kr.shop.example")]
    [InlineData("capacitor://localhost", "shop", 200, "capacitor://localhost")]
    [InlineData(null, "shop", 200, null)]
    [InlineData(Evil, "shop", 403, null)]
    [InlineData("null", "shop", 403, null)]
    [InlineData("https://shop.example.evil.example", "shop", 403, null)]
    [InlineData(Evil, "any", 200, Evil)]
    public async Task A_page_of_another_origin_is_answered_403_and_nothing_is_stored(string? origin, string key, int status, string? allowed)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Keys = options.Keys with { File = _file.Path },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("event") };
        request.Headers.Add("X-Api-Key", KeyFile.Key(key));
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal((status, allowed), ((int)answer.StatusCode, Header(answer, "Access-Control-Allow-Origin")));
        Assert.Equal(status == 403 ? 1 : 0, (await server.MetricsAsync())["estat_http_requests_rejected_forbidden_total"]);
        Assert.Equal(status == 403 ? [] : ["event"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("/collect", Shop, Shop)] // a preflight brings no key: any key's origin will do
    [InlineData("/collect", "https://blog.example", "https://blog.example")]
    [InlineData("/collect", Evil, null)]
    [InlineData("/collect?key=", Shop, Shop)]
    [InlineData("/collect", "capacitor://localhost", "capacitor://localhost")]
    [InlineData("/collect?key=", "https://kr.shop.example", "https://kr.shop.example")]
    [InlineData("/collect?key=", Evil, null)]
    [InlineData("/collect?key=", "https://blog.example", null)] // this key is not for it
    public async Task A_preflight_passes_without_a_key_and_is_answered_by_the_keys_origins(string path, string origin, string? allowed)
    {
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with
            {
                Http = options.Http with { CorsOrigins = ["https://blog.example"] },
                Keys = options.Keys with { File = _file.Path },
            });
        using var request = new HttpRequestMessage(HttpMethod.Options, path.EndsWith('=') ? path + KeyFile.Key("shop") : path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "x-api-key, authorization");

        using HttpResponseMessage answer = await server.Client.SendAsync(request);

        Assert.Equal((HttpStatusCode.NoContent, allowed), (answer.StatusCode, Header(answer, "Access-Control-Allow-Origin")));
        Assert.Equal("Origin", Header(answer, "Vary"));
        if (allowed is not null)
        {
            Assert.Equal("true", Header(answer, "Access-Control-Allow-Credentials"));
            Assert.Equal("x-api-key, authorization", Header(answer, "Access-Control-Allow-Headers"));
        }
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;
}
