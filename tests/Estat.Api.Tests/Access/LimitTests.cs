// How much one key, and one address, may send; and that nobody else pays for it.
using System.Globalization;
using System.Net;
using Estat.Testing;

namespace Estat.Api.Tests.Access;

public sealed class LimitTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private readonly SteppedClock _time = new(Noon);
    private readonly TempFolder _folder = new();
    private readonly KeyFile _file = new(
        new { name = "slow", sha256 = KeyFile.Hash("slow"), rate = 0.5, burst = 2 },
        new { name = "bulk", sha256 = KeyFile.Hash("bulk"), rate = 1, burst = 5 },
        new { name = "daily", sha256 = KeyFile.Hash("daily"), daily_quota = 3 },
        new { name = "free", sha256 = KeyFile.Hash("free") });

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Over_its_rate_a_key_is_answered_429_until_the_second_that_Retry_After_names_and_another_key_goes_on_unharmed()
    {
        await using RunningServer server = await StartAsync();
        Assert.Equal("200 200 429", await PostsAsync(server, "slow", 3));

        using HttpResponseMessage refused = await AskAsync(server, "slow");
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        int wait = RetryAfter(refused);
        Assert.Equal(2, wait); // half an event a second
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(200, await PostAsync(server, "free"));
        }

        _time.Advance(TimeSpan.FromSeconds(wait) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(429, await PostAsync(server, "slow"));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(200, await PostAsync(server, "slow"));
        Assert.Equal(429, await PostAsync(server, "slow"));

        PrometheusPage metrics = await server.MetricsAsync();
        Assert.Equal(4, metrics["estat_http_requests_rejected_rate_limited_total"]);
        Assert.Equal(4, metrics["""estat_key_refused_total{key="slow",reason="rate"}"""]);
        Assert.Equal(3, metrics["""estat_key_events_total{key="slow"}"""]);
        Assert.Equal(23, (await server.DrainAsync()).Count);
    }

    [Fact]
    public async Task A_batch_counts_by_its_events_and_one_over_the_rate_is_refused_as_a_whole()
    {
        await using RunningServer server = await StartAsync();
        Assert.Equal(200, await BatchAsync(server, "bulk", 4));
        Assert.Equal(429, await BatchAsync(server, "bulk", 2));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await BatchAsync(server, "bulk", 2));
        Assert.Equal(6, (await server.DrainAsync()).Count);
    }

    [Fact]
    public async Task A_batch_larger_than_the_burst_is_taken_from_a_full_bucket_and_paid_for_afterwards()
    {
        await using RunningServer server = await StartAsync();
        Assert.Equal(200, await BatchAsync(server, "bulk", 15));
        using HttpResponseMessage refused = await AskAsync(server, "bulk");
        Assert.Equal(11, RetryAfter(refused)); // ten of debt, one to send
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(200, await PostAsync(server, "bulk"));
    }

    [Fact]
    public async Task A_quota_holds_until_midnight_UTC_and_only_acknowledged_events_count()
    {
        _time.UtcNow = new DateTimeOffset(2026, 11, 21, 23, 59, 50, TimeSpan.Zero);
        await using RunningServer server = await StartAsync();
        Assert.Equal(429, await BatchAsync(server, "daily", 4)); // nothing of it is taken, so nothing is used
        Assert.Equal(413, await PostAsync(server, "daily", new string('x', 20_000)));
        Assert.Equal("200 200 200", await PostsAsync(server, "daily", 3));

        using HttpResponseMessage refused = await AskAsync(server, "daily");
        Assert.Equal((429, 10), ((int)refused.StatusCode, RetryAfter(refused)));
        Assert.Equal(200, await PostAsync(server, "free"));
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(429, await PostAsync(server, "daily"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await BatchAsync(server, "daily", 3));

        // An administrator who sets the clock back gives nobody a second day.
        _time.UtcNow = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        Assert.Equal(429, await PostAsync(server, "daily"));
    }

    [Fact]
    public async Task A_quota_goes_on_after_a_restart_where_it_was()
    {
        await using (RunningServer first = await StartAsync())
        {
            Assert.Equal(200, await BatchAsync(first, "daily", 2));
        }

        await using (RunningServer second = await StartAsync())
        {
            Assert.Equal("200 429", await PostsAsync(second, "daily", 2));
        }

        _time.Advance(TimeSpan.FromHours(12));
        await using RunningServer nextDay = await StartAsync();
        Assert.Equal(200, await BatchAsync(nextDay, "daily", 3));
    }

    [Fact]
    public async Task A_day_that_was_used_up_before_a_restart_is_used_up_for_the_first_request_after_it()
    {
        int port = FreePort.Next();
        Directory.CreateDirectory(_folder["spool"]);
        await File.WriteAllTextAsync(_folder["spool/write-key-quotas.json"], """{"day":"2026-11-21","used":{"daily":3}}""");

        // Nobody may send before it is known what was used.
        Task<HttpStatusCode> first = FirstAnswer.KnockAsync(port, KeyFile.Key("daily"), TimeSpan.FromSeconds(60));
        await using RunningServer server = await StartAsync($"127.0.0.1:{port}");
        Assert.Equal(HttpStatusCode.TooManyRequests, await first);
    }

    [Fact]
    public async Task An_address_over_IP_RATE_is_answered_429_and_other_addresses_go_on()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { IpRate = 0.1, IpBurst = 2 },
        }, _time);
        Assert.Equal("200 200 429", await FromEachAsync(server, "203.0.113.1", "203.0.113.1", "203.0.113.1"));
        Assert.Equal("200 200", await FromEachAsync(server, "203.0.113.2", null));

        // Whoever has one address of a /64 has all of them.
        Assert.Equal("200 200 429 200", await FromEachAsync(server, "2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3", "2001:db8:1:3::1"));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("200 429", await FromEachAsync(server, "203.0.113.1", "203.0.113.1"));
        Assert.Equal(3, (await server.MetricsAsync())["estat_http_requests_rejected_rate_limited_total"]);
    }

    [Fact]
    public async Task A_client_behind_a_proxy_that_appends_cannot_choose_the_address_that_IP_RATE_goes_by()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { IpRate = 0.1, IpBurst = 2 },
        }, _time);
        Assert.Equal("200 200 429", await FromEachAsync(
            server, "198.51.100.1, 203.0.113.1", "198.51.100.2, 203.0.113.1, 10.0.0.2", "198.51.100.3, garbage, 203.0.113.1:4711"));
        Assert.Equal("200", await FromEachAsync(server, "198.51.100.3, 203.0.113.2"));

        // What an event says of its client is for statistics: the first public address, as ever.
        Assert.Equal(["198.51.100.1", "198.51.100.2", "198.51.100.3"], (await server.DrainAsync()).Select(stored => stored.Ip));
    }

    private Task<RunningServer> StartAsync(string address = "127.0.0.1:0") =>
        RunningServer.StartAsync(
            options => options with
            {
                Http = options.Http with { HttpAddr = address },
                Keys = options.Keys with { File = _file.Path },
                Collect = options.Collect with { SpoolDir = _folder["spool"], DlqDir = _folder["dlq"] },
            }, _time);

    private static int RetryAfter(HttpResponseMessage answer) =>
        int.Parse(Assert.Single(answer.Headers.GetValues("Retry-After")), CultureInfo.InvariantCulture);

    private static async Task<HttpResponseMessage> AskAsync(RunningServer server, string key, string body = "event", string path = "/collect")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        request.Headers.Add("X-Api-Key", KeyFile.Key(key));
        return await server.Client.SendAsync(request);
    }

    private static async Task<int> PostAsync(RunningServer server, string key, string body = "event")
    {
        using HttpResponseMessage answer = await AskAsync(server, key, body);
        return (int)answer.StatusCode;
    }

    private static async Task<string> PostsAsync(RunningServer server, string key, int times)
    {
        int[] answers = new int[times];
        for (int i = 0; i < times; i++)
        {
            answers[i] = await PostAsync(server, key);
        }

        return string.Join(' ', answers);
    }

    private static async Task<int> BatchAsync(RunningServer server, string key, int events)
    {
        using HttpResponseMessage answer = await AskAsync(server, key, string.Concat(Enumerable.Repeat("event\n", events)), "/collect/batch");
        return (int)answer.StatusCode;
    }

    private static async Task<string> FromEachAsync(RunningServer server, params string?[] addresses)
    {
        int[] answers = new int[addresses.Length];
        for (int i = 0; i < addresses.Length; i++)
        {
            answers[i] = await FromAsync(server, addresses[i]);
        }

        return string.Join(' ', answers);
    }

    private static async Task<int> FromAsync(RunningServer server, string? address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("event") };
        if (address is not null)
        {
            request.Headers.Add("X-Forwarded-For", address);
        }

        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
