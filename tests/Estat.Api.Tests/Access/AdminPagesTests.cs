// The guard before the real pages of a real server, asked from the node itself and by an address that others have.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Estat.Api.Tests.Access;

public sealed class AdminPagesTests
{
    private const string Token = "0123456789abcdef";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string[] Paths = ["/console", "/console/main.js", "/tail", "/admin/capabilities", "/admin/state",
        "/admin/nodes", "/admin/live", "/admin/objects", "/admin/dlq", "/admin/quarantine"];

    public static TheoryData<string?, string> Tricks
    {
        get
        {
            var tricks = new TheoryData<string?, string>();
            foreach (string? token in new[] { null, Token })
            {
                foreach (string headers in new[]
                {
                    "Host: {address}\r\n", "Host: localhost\r\n", "Host: 127.0.0.1:8080\r\n", "Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n",
                        "Host: localhost\r\nX-Real-IP: 127.0.0.1\r\n",
                    "Host: localhost\r\nForwarded: for=127.0.0.1\r\n", "Host: localhost\r\nX-Forwarded-Host: localhost\r\n",
                    "Host: localhost\r\nAuthorization: Bearer \r\n",
                    "Host: localhost\r\nAuthorization: Bearer null\r\n", "Host: localhost\r\nCookie: estat_admin=1.9999999999.AAAA\r\n",
                    "Host: localhost\r\nX-Estat-Admin: 1\r\n",
                })
                {
                    tricks.Add(token, headers);
                }
            }

            return tricks;
        }
    }

    [Theory]
    [MemberData(nameof(Tricks))]
    public async Task From_elsewhere_every_page_of_the_operator_s_is_401_whatever_the_headers_say(string? token, string headers)
    {
        await using RunningServer server = await StartAsync(token);
        using var client = new TcpClient();
        await client.ConnectAsync(NonLoopback.Address, server.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        headers = headers.Replace("{address}", NonLoopback.Address.ToString(), StringComparison.Ordinal);
        foreach (string path in Paths)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HEAD {path} HTTP/1.1\r\n{headers}\r\n"), TestContext.Current.CancellationToken);
            Assert.Equal($"HTTP/1.1 401 Unauthorized on {path}", $"{await reader.ReadLineAsync().WaitAsync(Patience)} on {path}");
            while (!string.IsNullOrEmpty(await reader.ReadLineAsync().WaitAsync(Patience)))
            {
            }
        }
    }

    [Fact]
    public async Task From_elsewhere_the_token_opens_them_and_on_the_node_it_is_needed_too()
    {
        await using RunningServer server = await StartAsync(Token);
        Assert.Equal(401, await StatusAsync(server.Client, "/admin/state"));
        using var elsewhere = new HttpClient { BaseAddress = new Uri($"http://{NonLoopback.Address}:{server.Port}") };
        elsewhere.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Assert.Equal(200, await StatusAsync(elsewhere, "/admin/state"));
        Assert.Equal(200, await StatusAsync(elsewhere, "/console"));
        elsewhere.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(200, await StatusAsync(elsewhere, "/health"));
        Assert.Equal(200, await StatusAsync(elsewhere, "/metrics"));
    }

    [Fact]
    public async Task Without_a_token_they_are_open_on_the_node()
    {
        await using RunningServer server = await StartAsync(null);
        Assert.Equal(200, await StatusAsync(server.Client, "/admin/state"));
        Assert.Equal(200, await StatusAsync(server.Client, "/console"));
        using RawHttp rebound = await server.ConnectAsync();
        await rebound.SendAsync("GET /admin/state HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
        Assert.Contains("has no ADMIN_TOKEN", (await rebound.ReadAnswerAsync()).Detail, StringComparison.Ordinal);
        using RawHttp proxied = await server.ConnectAsync();
        await proxied.SendAsync("GET /admin/state HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        Assert.Equal(401, (await proxied.ReadAnswerAsync()).Status);
    }

    [Fact]
    public async Task The_form_opens_a_session_and_goes_back_to_the_page_that_was_asked_for()
    {
        await using RunningServer server = await StartAsync(Token);
        using HttpClient browser = Browser(server);
        using HttpResponseMessage asked = await browser.GetAsync(new Uri("/console?view=dlq", UriKind.Relative));
        string page = await asked.Content.ReadAsStringAsync();
        Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (asked.StatusCode, asked.Content.Headers.ContentType!.MediaType));
        Assert.Contains("""action="/admin/session">""", page, StringComparison.Ordinal);
        Assert.Contains("""name="next" value="/console?view=dlq">""", page, StringComparison.Ordinal);

        using HttpResponseMessage wrong = await PostFormAsync(browser, "not-the-token", "/console?view=dlq");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Contains("not this node&#x27;s token", (await wrong.Content.ReadAsStringAsync())
            .Replace("'", "&#x27;", StringComparison.Ordinal), StringComparison.Ordinal);

        using HttpResponseMessage right = await PostFormAsync(browser, $" {Token} ", "/console?view=dlq");
        Assert.Equal((HttpStatusCode.SeeOther, "/console?view=dlq"), (right.StatusCode, right.Headers.Location!.OriginalString));
        string cookie = Assert.Single(right.Headers.GetValues("Set-Cookie"));
        Assert.Matches("^estat_admin=1\\.[0-9]+\\.[A-Za-z0-9_-]{43}; max-age=43200; path=/; samesite=strict; httponly$", cookie);
        Assert.Equal(200, await StatusAsync(browser, "/console"));
        Assert.Equal(200, await StatusAsync(browser, "/admin/state"));
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/a\r\nSet-Cookie: x=y")]
    [InlineData("")]
    public async Task After_the_form_nobody_is_sent_to_another_site(string next)
    {
        await using RunningServer server = await StartAsync(Token);
        using HttpClient browser = Browser(server);
        using HttpResponseMessage answer = await PostFormAsync(browser, Token, next);
        Assert.Equal("/console", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_script_opens_and_closes_a_session()
    {
        await using RunningServer server = await StartAsync(Token);
        using HttpClient browser = Browser(server, accept: "*/*");
        Assert.Equal(403, await SessionAsync(browser, HttpMethod.Post, $$"""{"token":"{{Token}}"}""", header: false));
        Assert.Equal(401, await SessionAsync(browser, HttpMethod.Post, """{"token":"another"}"""));
        Assert.Equal(400, await SessionAsync(browser, HttpMethod.Post, "{"));
        Assert.Equal(400, await SessionAsync(browser, HttpMethod.Post, """{"token":7}"""));
        Assert.Equal(400, await SessionAsync(browser, HttpMethod.Post, """{"token":"\ud800"}"""));
        Assert.Equal(400, await SessionAsync(browser, HttpMethod.Post, $$"""{"token":"{{new string('x', 20_000)}}"}"""));
        Assert.Equal(405, await SessionAsync(browser, HttpMethod.Get, null));
        Assert.Equal(401, await StatusAsync(browser, "/admin/state"));
        Assert.Equal(204, await SessionAsync(browser, HttpMethod.Post, $$"""{"token":"{{Token}}"}"""));
        Assert.Equal(200, await StatusAsync(browser, "/admin/state"));
        Assert.Equal(403, await SessionAsync(browser, HttpMethod.Delete, null, header: false));
        Assert.Equal(204, await SessionAsync(browser, HttpMethod.Delete, null));
        Assert.Equal(401, await StatusAsync(browser, "/admin/state"));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_form_on_another_site_opens_no_session(string header, string value)
    {
        await using RunningServer server = await StartAsync(Token);
        using HttpClient browser = Browser(server);
        browser.DefaultRequestHeaders.Add(header, value);
        using HttpResponseMessage answer = await PostFormAsync(browser, Token, "/console");
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task What_changes_something_needs_the_header_at_the_real_pages_too()
    {
        await using RunningServer server = await StartAsync(null);
        foreach ((HttpMethod method, string path) in new[] { (HttpMethod.Post, "/admin/dlq/retry"), (HttpMethod.Post, "/admin/dlq/NAME/retry"),
            (HttpMethod.Delete, "/admin/dlq/NAME?events=1"), (HttpMethod.Delete, "/admin/quarantine?key=K&events=1") })
        {
            using var request = new HttpRequestMessage(method, path);
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("/console")]
    [InlineData("/admin/state")]
    [InlineData("/admin/session")]
    public async Task Every_page_says_what_browsers_may_do_with_it(string path)
    {
        await using RunningServer server = await StartAsync(null);
        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri(path, UriKind.Relative));
        string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
        Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Resource-Policy")));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.True(path == "/console" || answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task Health_and_metrics_are_what_their_type_says()
    {
        await using RunningServer server = await StartAsync(null);
        foreach (string path in new[] { "/health", "/metrics", "/nowhere" })
        {
            using HttpResponseMessage answer = await server.Client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        }
    }

    private static Task<RunningServer> StartAsync(string? token) =>
        RunningServer.StartAsync(options => options with { Http = options.Http with { HttpAddr = "0.0.0.0:0", AdminToken = token } });

    // Keeps cookies, asks for pages, and follows nothing by itself.
    private static HttpClient Browser(RunningServer server, string accept = "text/html,*/*;q=0.8")
    {
        var browser = new HttpClient(
            new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        browser.DefaultRequestHeaders.Add("Accept", accept);
        return browser;
    }

    private static async Task<HttpResponseMessage> PostFormAsync(HttpClient browser, string token, string next)
    {
        using var form = new FormUrlEncodedContent([new("token", token), new("next", next)]);
        return await browser.PostAsync(new Uri("/admin/session", UriKind.Relative), form);
    }

    private static async Task<int> SessionAsync(HttpClient browser, HttpMethod method, string? json, bool header = true)
    {
        using var request = new HttpRequestMessage(
            method, "/admin/session") { Content = json is null ? null : new StringContent(json, MediaTypeHeaderValue.Parse("application/json")) };
        if (header)
        {
            request.Headers.Add("X-Estat-Admin", "1");
        }

        using HttpResponseMessage answer = await browser.SendAsync(request);
        return (int)answer.StatusCode;
    }

    private static async Task<int> StatusAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        return (int)answer.StatusCode;
    }
}
