// Who may send: with keys configured, nobody without one.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Estat.Api.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Access;

public sealed class WriteKeyTests : IDisposable
{
    private static readonly string Shop = KeyFile.Key("shop");
    private readonly KeyFile _file = new(
        new { name = "shop", sha256 = KeyFile.Hash("shop") },
        new { name = "closed", sha256 = KeyFile.Hash("closed"), disabled = true },
        new { name = "old", sha256 = KeyFile.Hash("old"), expires = "2020-01-01T00:00:00Z" },
        new { name = "rotated", sha256 = new[] { KeyFile.Hash("before"), KeyFile.Hash("after") } });

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData("POST", "/collect")]
    [InlineData("GET", "/collect?page=home")]
    [InlineData("GET", "/collect.gif?page=home")]
    [InlineData("POST", "/collect/batch")]
    public async Task With_keys_configured_a_request_without_one_is_answered_401_and_nothing_of_it_is_stored(string method, string path)
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);

        using HttpResponseMessage answer = await SendAsync(server, method, path);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("X-Api-Key", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("ApiKey", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
        PrometheusPage metrics = await server.MetricsAsync();
        Assert.Equal(1, metrics["estat_http_requests_rejected_unauthorized_total"]);
        Assert.Equal(1, metrics["""estat_key_failures_total{reason="missing"}"""]);
        Assert.Equal(0, metrics["""estat_events{place="accepted"}"""]);
        Assert.Empty(await server.DrainAsync());
        Assert.False(Directory.Exists(Path.Combine(server.StorageDir, "raw")));
    }

    [Fact]
    public async Task A_body_that_will_not_be_taken_is_not_waited_for()
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(RawHttp.Post("Content-Length: 8000000\r\n", "/collect/batch") + "the beginning");

        Assert.Equal(401, (await connection.ReadAnswerAsync()).Status);
    }

    [Fact]
    public async Task Each_way_to_send_a_key_is_taken_and_none_leaves_the_key_in_what_is_stored()
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);

        await TakesAsync(server, HttpMethod.Post, "/collect", "by header", request => request.Headers.Add("X-Api-Key", Shop));
        await TakesAsync(server, HttpMethod.Post, $"/collect?key={Shop}", "by query");
        await TakesAsync(server, HttpMethod.Post, $"/collect?key={Shop.Replace("_", "%5F", StringComparison.Ordinal)}", "by an escaped query");
        await TakesAsync(server, HttpMethod.Post, "/collect", "as basic's user", request => request.Headers.Authorization = Basic($"{Shop}:"));
        await TakesAsync(server, HttpMethod.Post, "/collect", "as basic's password",
            request => request.Headers.Authorization = Basic($"anybody:{Shop}"));
        await TakesAsync(server, HttpMethod.Get, $"/collect?key={Shop}&page=1", null);
        await TakesAsync(server, HttpMethod.Get, $"/collect.gif?page=2&key={Shop}&title=a%20b", null);
        await TakesAsync(server, HttpMethod.Get, "/collect?page=3", null, request => request.Headers.Add("X-Api-Key", Shop));
        await TakesAsync(server, HttpMethod.Post, "/collect/batch", "in a\nbatch", request => request.Headers.Add("X-Api-Key", Shop));
        await TakesAsync(server, HttpMethod.Post, "/collect", "the older of two", request => request.Headers.Add("X-Api-Key", KeyFile.Key("before")));
        await TakesAsync(server, HttpMethod.Post, "/collect", "the newer of two", request => request.Headers.Add("X-Api-Key", KeyFile.Key("after")));

        PrometheusPage metrics = await server.MetricsAsync();
        Assert.Equal(10, metrics["""estat_key_events_total{key="shop"}"""]);
        Assert.Equal(2, metrics["""estat_key_events_total{key="rotated"}"""]);
        Assert.Equal(0, metrics["estat_http_requests_rejected_unauthorized_total"]);
        Assert.Equal(
            ["by header", "by query", "by an escaped query", "as basic's user", "as basic's password", "page=1", "page=2&title=a%20b", "page=3",
                "in a", "batch", "the older of two", "the newer of two"],
            await server.DrainBodiesAsync());
        Assert.All(StoredEvents.FromFolder(server.StorageDir), stored => Assert.DoesNotContain("estat_", stored.RawLine, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pixel_that_holds_nothing_but_its_key_is_an_empty_event()
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);
        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri($"/collect.gif?key={Shop}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("closed", "disabled")]
    [InlineData("old", "expired")]
    [InlineData("nobody", "wrong")]
    public async Task A_key_that_does_not_hold_is_answered_401_and_counted_by_what_is_wrong_with_it(string name, string reason)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => WithKeys(options, isOpen: true));

        using HttpResponseMessage wrong = await SendAsync(server, "POST", "/collect", KeyFile.Key(name));
        using HttpResponseMessage none = await SendAsync(server, "POST", "/collect");

        // OPEN_INGEST is for those who have no key, not for those whose key is wrong.
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (wrong.StatusCode, none.StatusCode));
        Assert.Equal(1, (await server.MetricsAsync())[$$"""estat_key_failures_total{reason="{{reason}}"}"""]);
        Assert.Equal(["from nobody"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("\"; DROP TABLE keys")]
    [InlineData("clé")]
    public async Task What_cannot_be_a_key_is_a_wrong_one(string text)
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post($"X-Api-Key: {text}\r\nContent-Length: 1\r\n") + "x");
        Assert.Equal(401, (await connection.ReadAnswerAsync()).Status);
    }

    [Fact]
    public async Task A_connection_that_changes_its_key_is_not_taken_for_the_one_that_it_was()
    {
        await using RunningServer server = await RunningServer.StartAsync(WithKeys);
        using RawHttp connection = await server.ConnectAsync();
        foreach ((string key, int status) in new[] { (Shop, 200), (Shop, 200), (KeyFile.Key("closed"), 401), (Shop[..^1] + "x", 401), (Shop, 200) })
        {
            await connection.SendAsync(RawHttp.Post($"X-Api-Key: {key}\r\nContent-Length: 1\r\n") + "x");
            Assert.Equal(status, (await connection.ReadAnswerAsync()).Status);
        }
    }

    [Fact]
    public async Task A_few_keys_may_be_listed_in_WRITE_KEYS_by_themselves_or_by_their_hashes()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => OptionTable.Bind(
            [], [new("WRITE_KEYS", $"one={KeyFile.Key("one")}, two={KeyFile.Hash("two")}")], "none.json") is var bound
                ? options with { Keys = options.Keys with { Listed = bound.Keys.Listed } } : options);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(server, "POST", "/collect", KeyFile.Key("one"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(server, "POST", "/collect", KeyFile.Key("two"))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(server, "POST", "/collect", KeyFile.Hash("two"))).StatusCode);
    }

    [Fact]
    public async Task Without_keys_a_parameter_called_key_is_part_of_the_event()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri("/collect?key=value", UriKind.Relative));
        Assert.Equal(["key=value"], await server.DrainBodiesAsync());
    }

    private EstatOptions WithKeys(EstatOptions options) => WithKeys(options, isOpen: false);

    private EstatOptions WithKeys(EstatOptions options, bool isOpen) =>
        options with { Keys = options.Keys with { File = _file.Path, OpenIngest = isOpen } };

    private static AuthenticationHeaderValue Basic(string pair) => new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(pair)));

    private static async Task TakesAsync(RunningServer server, HttpMethod method, string path, string? body, Action<HttpRequestMessage>? with = null)
    {
        using var request = new HttpRequestMessage(
            method, path) { Content = body is null ? null : new ByteArrayContent(Encoding.ASCII.GetBytes(body)) };
        with?.Invoke(request);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task<HttpResponseMessage> SendAsync(RunningServer server, string method, string path, string? key = null)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("from nobody") : null };
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        return await server.Client.SendAsync(request);
    }
}
