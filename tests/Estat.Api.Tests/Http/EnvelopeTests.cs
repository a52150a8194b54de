// What a stored line says beside the body.
using System.Text;
using System.Text.Json;
using Estat.Api.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class EnvelopeTests
{
    [Fact]
    public async Task A_line_says_when_and_from_where_and_nothing_that_was_not_sent()
    {
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        StoredEvent stored = await StoreOneAsync("");

        Assert.InRange(stored.Ts, before, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        Assert.Equal("127.0.0.1", stored.Ip);
        Assert.Equal("", stored.UserAgent);
        Assert.Equal($$"""{"ts":{{stored.Ts}},"ip":"127.0.0.1","user_agent":"","body":"x"}""", stored.RawLine);
    }

    [Fact]
    public async Task Fields_stand_in_the_order_that_the_format_gives()
    {
        StoredEvent stored = await StoreOneAsync(
            "Idempotency-Key: key-1\r\nCookie: a=1; b=2\r\nUser-Agent: agent/1\r\n", options => options with
            {
                Collect = options.Collect with { CaptureCookie = true },
            });

        using var line = JsonDocument.Parse(stored.RawLine);
        Assert.Equal(["ts", "ip", "user_agent", "cookie", "id", "body"], line.RootElement.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("agent/1", "a=1; b=2", "key-1"), (stored.UserAgent, stored.Cookie, stored.Id));
    }

    public static TheoryData<string, string, string> UserAgents => new()
    {
        { "an ordinary one", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" },
        { "quotes and a backslash", """a "quoted" \ agent""", """a "quoted" \ agent""" },
        { "a tab inside", "a\tb", "a\tb" },
        { "UTF-8", Latin1("한글 브라우저 👍"), "한글 브라우저 👍" },
        { "Latin-1", "caf\u00E9", "caf\uFFFD" },
        { "EUC-KR", "\u00C7\u00D1", Encoding.UTF8.GetString([0xC7, 0xD1]) },
        { "1 KB", new string('u', 1024), new string('u', 1024) },
        { "8 KB", new string('u', 8192), new string('u', 1024) },
        { "8 KB that are no UTF-8, three bytes each when written", new string('\u00FF', 8192), new string('\uFFFD', 341) },
        { "8 KB of quotes, two bytes each when written", new string('"', 8192), new string('"', 512) },
        { "8 KB of Korean, three bytes each, after one", Latin1("a" + new string('한', 2730)), "a" + new string('한', 341) },
        { "8 KB of emoji, four bytes each, after one", Latin1("a" + string.Concat(Enumerable.Repeat("👍", 2000))),
            "a" + string.Concat(Enumerable.Repeat("👍", 255)) },
        { "empty", "", "" },
    };

    [Theory]
    [MemberData(nameof(UserAgents))]
    public async Task A_User_Agent_is_stored_as_it_was_sent_up_to_a_kilobyte_and_never_costs_the_event(string what, string sent, string stored)
    {
        StoredEvent line = await StoreOneAsync($"User-Agent: {sent}\r\n");
        Assert.True(stored == line.UserAgent, $"{what}: {line.UserAgent}");
    }

    [Theory]
    [InlineData("Referer")]
    [InlineData("X-Anything")]
    [InlineData("Content-Type")]
    [InlineData("Origin")]
    [InlineData("X-Forwarded-For")]
    [InlineData("Content-Disposition")]
    public async Task Header_bytes_that_are_no_UTF_8_do_not_cost_the_event(string header)
    {
        StoredEvent stored = await StoreOneAsync($"{header}: http://shop.example/\u00C7\u00D1\u00B1\u00DB\r\n");
        Assert.Equal("127.0.0.1", stored.Ip);
    }

    [Fact]
    public async Task The_Idempotency_Key_becomes_the_id_whatever_it_is()
    {
        StoredEvent stored = await StoreOneAsync($"Idempotency-Key: \"{Latin1("키")}\\ 1\"\r\n");
        Assert.Equal("\"키\\ 1\"", stored.Id);
    }

    [Fact]
    public async Task Without_CAPTURE_COOKIE_no_cookie_is_stored() =>
        Assert.DoesNotContain("secret", (await StoreOneAsync("Cookie: session=secret\r\n")).RawLine, StringComparison.Ordinal);

    [Fact]
    public async Task The_console_s_session_is_never_stored()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { CaptureCookie = true },
        });
        await PostAsync(server, "Cookie: a=1; estat_admin=1.2.secret; b=estat_admin\r\n");
        await PostAsync(server, "Cookie: estat_admin=1.2.secret\r\n");

        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();

        Assert.Equal("a=1; b=estat_admin", stored[0].Cookie);
        Assert.Null(stored[1].Cookie);
    }

    [Fact]
    public async Task With_CAPTURE_COOKIE_the_field_is_there_only_if_a_cookie_was()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { CaptureCookie = true },
        });
        await PostAsync(server, "Cookie: a=\"1\"; 이름\u00FF=2\r\n".Replace("이름", Latin1("이름"), StringComparison.Ordinal));
        await PostAsync(server, "");

        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();

        Assert.Equal("a=\"1\"; 이름\uFFFD=2", stored[0].Cookie);
        Assert.Null(stored[1].Cookie);
        Assert.DoesNotContain("cookie", stored[1].RawLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_and_cookies_are_cut_as_well()
    {
        StoredEvent stored = await StoreOneAsync(
            $"Idempotency-Key: {new string('k', 2000)}\r\nCookie: a={new string('c', 10_000)}\r\n", options => options with
            {
                Collect = options.Collect with { CaptureCookie = true },
            });
        Assert.Equal(new string('k', 1024), stored.Id);
        Assert.Equal("a=" + new string('c', 8190), stored.Cookie);
    }

    [Fact]
    public async Task A_batch_of_tiny_events_under_a_huge_User_Agent_is_not_written_a_hundred_times_its_size()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(
            RawHttp.Post($"User-Agent: {new string('\u00FF', 15_000)}\r\nContent-Length: 600\r\n", "/collect/batch")
                + string.Concat(Enumerable.Repeat("a\n", 300)));
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);

        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();

        Assert.Equal(300, stored.Count);
        Assert.All(stored, line => Assert.InRange(Encoding.UTF8.GetByteCount(line.RawLine), 1, 1200));
    }

    [Fact]
    public async Task Every_event_of_a_batch_and_a_pixel_carry_the_envelope_as_well()
    {
        const string Headers = "User-Agent: agent/1\r\nX-Forwarded-For: 203.0.113.9\r\nIdempotency-Key: k\r\n";
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post($"{Headers}Content-Length: 3\r\n", "/collect/batch") + "1\n2");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        await connection.SendAsync($"GET /collect.gif?3 HTTP/1.1\r\nHost: a\r\n{Headers}\r\n");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);

        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();

        Assert.Equal(["1", "2", "3"], stored.Select(line => line.Body));
        Assert.All(stored, line => Assert.Equal(("agent/1", "203.0.113.9", "k"), (line.UserAgent, line.Ip, line.Id)));
    }

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static async Task<StoredEvent> StoreOneAsync(string headers, Func<EstatOptions, EstatOptions>? configure = null)
    {
        await using RunningServer server = await RunningServer.StartAsync(configure);
        await PostAsync(server, headers);
        return Assert.Single(await server.DrainAsync());
    }

    private static async Task PostAsync(RunningServer server, string headers)
    {
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post($"{headers}Content-Length: 1\r\n") + "x");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
    }
}
