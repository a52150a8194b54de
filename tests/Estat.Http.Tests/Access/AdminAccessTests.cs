// Who may see the operator's pages: the decision alone, with every trick that a header can play.
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Estat.Base.Metrics;
using Estat.Http.Access;
using Estat.Http.ClientAddress;
using Estat.Http.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Http.Tests.Access;

public sealed class AdminAccessTests : IDisposable
{
    private const string Token = "0123456789abcdef";
    private const string Elsewhere = "203.0.113.7";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TrustedProxies Proxies = new(new HttpOptions().TrustedProxies);

    private readonly Meter _meter = new("test");
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _meter.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost:8080", 200)]
    [InlineData("127.0.0.1", "127.0.0.1:8080", 200)]
    [InlineData("127.0.0.1", "LOCALHOST", 200)]
    [InlineData("127.0.0.1", "estat.localhost:8080", 200)]
    [InlineData("::1", "[::1]:8080", 200)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1", 200)]
    [InlineData("10.0.0.7", "localhost", 401)]
    [InlineData("192.168.1.4", "127.0.0.1", 401)]
    [InlineData("127.0.0.6", "127.0.0.1", 401)] // what a sidecar brings in
    public async Task Without_a_token_only_callers_on_the_node_itself_are_let_in(string peer, string host, int status) =>
        Assert.Equal(status, await AskAsync(Access(null), peer, ("Host", host)));

    [Theory]
    [InlineData("rebound.example:8080")]
    [InlineData("localhost.rebound.example")]
    [InlineData("127.0.0.1.rebound.example")]
    [InlineData("10.0.0.7")]
    [InlineData("")]
    public async Task A_page_that_points_its_own_name_at_loopback_is_not_let_in(string host) =>
        Assert.Equal(401, await AskAsync(Access(null), "127.0.0.1", ("Host", host)));

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Forwarded-Host")]
    [InlineData("X-Forwarded-Proto")]
    [InlineData("X-Real-IP")]
    [InlineData("Forwarded")]
    [InlineData("Via")]
    public async Task What_a_proxy_on_the_node_brings_is_not_from_the_node(string header) =>
        Assert.Equal(401, await AskAsync(Access(null), "127.0.0.1", ("Host", "localhost"), (header, "127.0.0.1")));

    [Theory]
    [InlineData("Bearer 0123456789abcdef")]
    [InlineData("Bearer ")]
    [InlineData("Basic Og==")]
    public async Task Without_a_token_there_is_none_to_show(string authorization) =>
        Assert.Equal(401, await AskAsync(Access(null), Elsewhere, ("Host", "localhost"), ("Authorization", authorization)));

    [Theory]
    [InlineData("Bearer 0123456789abcdef", 200)]
    [InlineData("bearer  0123456789abcdef ", 200)]
    [InlineData("Basic YW55OjAxMjM0NTY3ODlhYmNkZWY=", 200)] // any:…
    [InlineData("Basic OjAxMjM0NTY3ODlhYmNkZWY=", 200)] // :…
    [InlineData("Bearer 0123456789abcdee", 401)]
    [InlineData("Bearer 0123456789abcdef0", 401)]
    [InlineData("Bearer 0123456789abcde", 401)]
    [InlineData("Bearer", 401)]
    [InlineData("Bearer ", 401)]
    [InlineData("Basic MDEyMzQ1Njc4OWFiY2RlZjo=", 401)] // the token as the user
    [InlineData("Basic %%%", 401)]
    [InlineData("Basic 0123456789abcdef", 401)]
    [InlineData("Digest 0123456789abcdef", 401)]
    [InlineData("0123456789abcdef", 401)]
    [InlineData("", 401)]
    public async Task With_a_token_those_who_show_it_are_let_in_and_nobody_else(string authorization, int status)
    {
        AdminAccess access = Access(Token);
        Assert.Equal(status, await AskAsync(access, Elsewhere, ("Host", "estat.example"), ("Authorization", authorization)));
        Assert.Equal(status, await AskAsync(access, "127.0.0.1", ("Host", "localhost"), ("Authorization", authorization)));
    }

    [Fact]
    public async Task With_a_token_the_node_itself_needs_it_too() =>
        Assert.Equal(401, await AskAsync(Access(Token), "127.0.0.1", ("Host", "localhost")));

    [Fact]
    public async Task A_session_opens_at_any_node_with_the_same_token_and_at_no_other()
    {
        string session = new AdminToken(Token, _time).OpenSession();
        Assert.Equal(200, await AskAsync(Access(Token), Elsewhere, ("Cookie", $"a=b; estat_admin={session}")));
        Assert.Equal(401, await AskAsync(Access("another-token-of-16"), Elsewhere, ("Cookie", $"estat_admin={session}")));
        Assert.Equal(401, await AskAsync(Access(null), Elsewhere, ("Cookie", $"estat_admin={session}")));
    }

    [Fact]
    public async Task A_session_ends_after_twelve_hours()
    {
        AdminAccess access = Access(Token);
        string session = new AdminToken(Token, _time).OpenSession();
        _time.Advance(AdminToken.SessionLength - TimeSpan.FromSeconds(1));
        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={session}")));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={session}")));
    }

    [Fact]
    public async Task A_session_of_a_clock_that_had_jumped_forward_does_not_outlive_its_return()
    {
        AdminAccess access = Access(Token);
        _time.UtcNow += TimeSpan.FromDays(30);
        string session = new AdminToken(Token, _time).OpenSession();
        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={session}")));
        _time.UtcNow -= TimeSpan.FromDays(30);
        Assert.Equal(401, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={session}")));
    }

    [Fact]
    public async Task A_session_that_was_changed_or_made_up_opens_nothing()
    {
        AdminAccess access = Access(Token);
        string session = new AdminToken(Token, _time).OpenSession();
        string[] parts = session.Split('.');
        string[] forged =
        [
            $"{parts[0]}.{long.Parse(parts[1], null) + 1}.{parts[2]}", $"{parts[0]}.0{parts[1]}.{parts[2]}", $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{parts[1]}.{parts[2][1..]}",
            $"2.{parts[1]}.{parts[2]}", session
                + "A", "1.99999999999.", "1.9223372036854775807.x", "1.99999999999999999999.x", "", ".", "..", new string('.', 4000), Token,
        ];
        foreach (string one in forged)
        {
            Assert.Equal(401, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={one}")));
        }

        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={session}")));
    }

    [Theory]
    [InlineData("POST", null, 403)]
    [InlineData("DELETE", null, 403)]
    [InlineData("PUT", null, 403)]
    [InlineData("POST", "0", 403)]
    [InlineData("POST", "1", 200)]
    [InlineData("DELETE", "1", 200)]
    [InlineData("GET", null, 200)]
    [InlineData("HEAD", null, 200)]
    public async Task What_changes_something_carries_a_header_that_no_other_page_can_send(string method, string? value, int status)
    {
        (string, string)[] headers = [("Host", "localhost"), ("Authorization", $"Bearer {Token}"), .. value is null ? []
            : new[] { ("X-Estat-Admin", value) }];
        Assert.Equal(status, await AskAsync(Access(Token), "127.0.0.1", method, headers));
        Assert.Equal(status, await AskAsync(Access(null), "127.0.0.1", method, headers));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task Without_the_token_the_missing_header_is_not_told(int status) =>
        Assert.Equal(status, await AskAsync(Access(Token), Elsewhere, "POST", status == 403 ? [("Authorization", $"Bearer {Token}")] : []));

    [Fact]
    public async Task No_preflight_is_answered()
    {
        HttpContext context = Request(
            "127.0.0.1", "OPTIONS", [("Host", "localhost"), ("Origin", "https://evil.example"), ("Access-Control-Request-Headers", "x-estat-admin")]);
        await Guard(Access(null))(context);
        Assert.Equal(405, context.Response.StatusCode);
        Assert.DoesNotContain(context.Response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("cross-site", "cors", "empty", 403)]
    [InlineData("cross-site", "no-cors", "image", 403)]
    [InlineData("same-site", "cors", "empty", 403)] // another port of localhost
    [InlineData("cross-site", "navigate", "iframe", 403)]
    [InlineData("cross-site", "navigate", "document", 200)] // a link
    [InlineData("same-origin", "cors", "empty", 200)]
    [InlineData("none", "navigate", "document", 200)]
    public async Task A_page_of_another_origin_gets_nothing(string site, string mode, string destination, int status) =>
        Assert.Equal(status, await AskAsync(
            Access(null), "127.0.0.1", ("Host", "localhost"), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination)));

    [Theory]
    [InlineData("http://localhost:8080", 200)]
    [InlineData("http://localhost:3000", 403)]
    [InlineData("https://evil.example", 403)]
    [InlineData("null", 403)]
    public async Task Where_a_browser_says_only_the_origin_that_counts(string origin, int status) =>
        Assert.Equal(status, await AskAsync(Access(null), "127.0.0.1", ("Host", "localhost:8080"), ("Origin", origin)));

    [Fact]
    public async Task An_address_that_guesses_is_told_to_wait_for_a_minute_unless_it_shows_the_right_token()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < FailedAttempts.Most; i++)
        {
            Assert.Equal(401, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer guess-number-{i}")));
        }

        HttpContext context = Request(Elsewhere, "GET", [("Authorization", "Bearer one-guess-more-")]);
        await Guard(access)(context);
        Assert.Equal(429, context.Response.StatusCode);
        Assert.Equal("60", context.Response.Headers.RetryAfter);
        Assert.Equal(200, await AskAsync(access, "203.0.113.8", ("Authorization", $"Bearer {Token}")));
        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Cookie", $"estat_admin={new AdminToken(Token, _time).OpenSession()}")));

        _time.Advance(FailedAttempts.Window);
        Assert.Equal(401, await AskAsync(access, Elsewhere, ("Authorization", "Bearer one-guess-more-")));
    }

    [Fact]
    public async Task Those_who_guess_behind_the_operator_s_address_cannot_lock_the_operator_out()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < 3 * FailedAttempts.Most; i++)
        {
            await AskAsync(access, Elsewhere, ("Authorization", $"Bearer guess-number-{i}"));
        }

        Assert.Equal(429, await AskAsync(access, Elsewhere, ("Authorization", "Bearer one-guess-more-")));
        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer {Token}")));
    }

    [Fact]
    public async Task Guesses_of_all_who_are_told_to_wait_are_looked_at_fifty_times_a_second()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < FailedAttempts.Most; i++)
        {
            await AskAsync(access, Elsewhere, ("Authorization", $"Bearer guess-number-{i}"));
        }

        for (int i = 0; i < FailedAttempts.MostLooks; i++)
        {
            Assert.Equal(429, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer guess-number-{i}")));
        }

        Assert.Equal(429, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer {Token}")));
        Assert.Equal(200, await AskAsync(access, "203.0.113.8", ("Authorization", $"Bearer {Token}"))); // nobody guesses from there
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer {Token}")));
    }

    [Fact]
    public async Task Whoever_shows_nothing_or_an_old_session_is_no_guesser()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < 3 * FailedAttempts.Most; i++)
        {
            Assert.Equal(401, await AskAsync(access, Elsewhere));
            Assert.Equal(401, await AskAsync(access, Elsewhere, ("Cookie", "estat_admin=1.1.old")));
        }

        Assert.Equal(200, await AskAsync(access, Elsewhere, ("Authorization", $"Bearer {Token}")));
    }

    [Fact]
    public async Task A_guesser_behind_a_proxy_is_known_by_what_the_proxy_says_and_not_by_what_it_says_itself()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < FailedAttempts.Most; i++)
        {
            Assert.Equal(401, await AskAsync(
                access, "10.0.0.1", ("X-Forwarded-For", $"198.51.100.{i}, {Elsewhere}"), ("Authorization", "Bearer wrong")));
        }

        Assert.Equal(429, await AskAsync(access, "10.0.0.1", ("X-Forwarded-For", $"198.51.100.77, {Elsewhere}"), ("Authorization", "Bearer wrong")));
        // by two proxies
        Assert.Equal(429, await AskAsync(
            access, "10.0.0.1", ("X-Forwarded-For", $"198.51.100.78, {Elsewhere}:4711, 10.0.0.2"), ("Authorization", "Bearer wrong")));
        Assert.Equal(401, await AskAsync(access, "10.0.0.1", ("X-Forwarded-For", "203.0.113.8"), ("Authorization", "Bearer wrong")));
        Assert.Equal(401, await AskAsync(access, "198.51.100.1", ("X-Forwarded-For", Elsewhere), ("Authorization", "Bearer wrong")));
    }

    [Fact]
    public async Task Wrong_tokens_are_told_once_a_minute_without_what_was_shown()
    {
        AdminAccess access = Access(Token);
        for (int i = 0; i < 300; i++)
        {
            await AskAsync(access, $"203.0.113.{i % 200}", ("Authorization", $"Bearer secret-guess-{i}"));
        }

        Assert.Contains("203.0.113.0", Assert.Single(_log.Lines), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(1));
        await AskAsync(access, "203.0.113.250", ("Authorization", "Bearer secret-guess"));
        Assert.Contains("300 wrong ones", _log.Lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain(
            _log.Lines, line => line.Contains("secret", StringComparison.Ordinal) || line.Contains(Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_refusal_is_counted()
    {
        using var metrics = new PrometheusText(_meter);
        AdminAccess access = Access(Token);
        await AskAsync(access, Elsewhere);
        await AskAsync(access, Elsewhere, ("Accept", "text/html"));
        await AskAsync(access, Elsewhere, ("Sec-Fetch-Site", "cross-site"));
        await AskAsync(access, Elsewhere, "POST", [("Authorization", $"Bearer {Token}")]);
        await AskAsync(access, Elsewhere, ("Authorization", $"Bearer {Token}"));
        Assert.Contains("\nestat_admin_refused_total 4\n", metrics.Write(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ko-KR,ko;q=0.9,en;q=0.8", "관리자 토큰")]
    [InlineData("en-US,en;q=0.9,ko;q=0.8", "Admin token")]
    [InlineData("", "Admin token")]
    public async Task A_browser_gets_a_form_in_its_language_that_runs_nothing(string language, string label)
    {
        HttpContext context = Request(
            Elsewhere, "GET", [("Accept", "text/html,*/*"), ("Accept-Language", language)], "/console", "?a=\"><script>alert(1)</script>");
        await Guard(Access(Token))(context);
        string page = Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
        Assert.Equal((401, "text/html; charset=utf-8"), (context.Response.StatusCode, context.Response.ContentType));
        Assert.Contains(label, page, StringComparison.Ordinal);
        Assert.Contains("width=device-width", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("script-src", context.Response.Headers.ContentSecurityPolicy.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", context.Response.Headers.ContentSecurityPolicy.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_a_browser_elsewhere_is_told_so_and_gets_no_form()
    {
        HttpContext context = Request(Elsewhere, "GET", [("Accept", "text/html")]);
        await Guard(Access(null))(context);
        string page = Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
        Assert.Contains("ADMIN_TOKEN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<form", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Those_who_failed_are_remembered_within_bounds()
    {
        var attempts = new FailedAttempts(_time);
        for (int i = 0; i < 2 * FailedAttempts.MostAddresses; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            attempts.Add(new IPAddress(i + 1L));
        }

        Assert.Equal(FailedAttempts.MostAddresses, attempts.Count);
    }

    private static RequestDelegate Guard(AdminAccess access) => access.Guard(context =>
    {
        context.Response.StatusCode = 200;
        return Task.CompletedTask;
    });

    [Fact]
    public async Task A_log_that_nobody_reads_keeps_nobody_waiting_but_the_one_who_is_told_of()
    {
        using var read = new ManualResetEventSlim();
        using var telling = new ManualResetEventSlim();
        _log.OnLine = () =>
        {
            telling.Set();
            read.Wait();
        };
        AdminAccess access = Access(Token);
        Task<int> first = Task.Run(() => AskAsync(access, Elsewhere, ("Authorization", "Bearer wrong")));
        await Wait.UntilAsync(() => telling.IsSet, Limit, "the first wrong token to be told");

        Task<int> next = Task.Run(() => AskAsync(access, "203.0.113.8", ("Authorization", "Bearer wrong")));

        await Wait.UntilAsync(() => next.IsCompleted, Limit, "the next to be answered");
        read.Set();
        Assert.Equal((401, 401), (await first, await next));
    }

    private static Task<int> AskAsync(AdminAccess access, string peer, params (string Name, string Value)[] headers) =>
        AskAsync(access, peer, "GET", headers);

    private static async Task<int> AskAsync(AdminAccess access, string peer, string method, (string Name, string Value)[] headers)
    {
        HttpContext context = Request(peer, method, headers);
        await Guard(access)(context);
        return context.Response.StatusCode;
    }

    private static DefaultHttpContext Request(
        string peer, string method, (string Name, string Value)[] headers, string path = "/admin/state", string query = "")
    {
        var context = new DefaultHttpContext();
        context.Features.Set(Peer.Of(IPAddress.Parse(peer), Proxies));
        context.Request.Method = method;
        context.Request.Protocol = "HTTP/1.1";
        context.Request.Path = path;
        context.Request.QueryString = new QueryString(query);
        context.Response.Body = new MemoryStream();
        context.Response.StatusCode = 0;
        foreach ((string name, string value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }

    private AdminAccess Access(string? token) => new(new HttpOptions { AdminToken = token }, _meter, _time, _log);
}
