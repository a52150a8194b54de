// /health, /health/ready, /health/sink and /metrics.
using System.Diagnostics;
using System.Net;
using System.Text;
using Estat.Api.Tests.Access;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class HealthTests
{
    private const string Token = "a-token-of-32-characters-at-least";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly SteppedClock _clock = new(DateTimeOffset.UtcNow);

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/health/sink")]
    public async Task A_sound_node_is_ok(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("ok\n", await answer.Content.ReadAsStringAsync());
        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/health/sink")]
    [InlineData("/metrics")]
    public async Task HEAD_says_the_same_without_the_body(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync($"HEAD {path} HTTP/1.1\r\nHost: estat.test\r\n\r\n");
        RawAnswer head = await connection.ReadHeadAsync();
        await connection.SendAsync("GET /health HTTP/1.1\r\nHost: estat.test\r\n\r\n");
        RawAnswer next = await connection.ReadAnswerAsync();

        Assert.Equal(200, head.Status);
        Assert.NotEqual("0", Assert.Single(head.Headers["Content-Length"]));
        Assert.Equal("ok\n", next.Text);
    }

    [Fact]
    public async Task The_sink_is_unavailable_while_its_folder_is_and_events_are_taken_all_the_same()
    {
        await using RunningServer server = await RunningServer.StartAsync(time: _clock);
        var sink = new Uri("/health/sink", UriKind.Relative);
        Directory.Move(server.StorageDir, server.StorageDir + ".away");
        await File.WriteAllTextAsync(server.StorageDir, "a file where the folder was");

        await UntilAsync(server, sink, HttpStatusCode.ServiceUnavailable);
        using (HttpResponseMessage answer = await server.Client.GetAsync(sink))
        {
            string detail = await Problems.DetailOfAsync(answer);
            Assert.Contains("STORAGE_DIR", detail, StringComparison.Ordinal);
            Assert.Contains(server.StorageDir, detail, StringComparison.Ordinal);
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("meanwhile"));

        File.Delete(server.StorageDir);
        Directory.Move(server.StorageDir + ".away", server.StorageDir);
        await UntilAsync(server, sink, HttpStatusCode.OK);
        Assert.Equal(["meanwhile"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_sink_whose_folder_was_removed_says_so_until_the_next_object_makes_it_again()
    {
        var sink = new Uri("/health/sink", UriKind.Relative);
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { BatchSize = 1 },
        }, _clock);
        Directory.Delete(server.StorageDir, recursive: true);
        await UntilAsync(server, sink, HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("afterwards"));

        await UntilAsync(server, sink, HttpStatusCode.OK);
        Assert.Equal(["afterwards"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_stranger_is_told_the_kind_of_the_sink_s_failure_and_the_operator_where_it_is()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { AdminToken = Token },
        }, _clock);
        Directory.Move(server.StorageDir, server.StorageDir + ".away");
        await UntilAsync(server, new Uri("/health/sink", UriKind.Relative), HttpStatusCode.ServiceUnavailable);
        string stranger = await TellAsync(server, "");
        Assert.Contains("the disk that holds the objects is full or fails", stranger, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetDirectoryName(server.StorageDir)!, stranger, StringComparison.Ordinal);
        Assert.Contains(server.StorageDir, await TellAsync(server, $"Authorization: Bearer {Token}\r\n"), StringComparison.Ordinal);
        for (int guess = 0; guess < 20; guess++)
        {
            Assert.DoesNotContain(server.StorageDir, await TellAsync(server, $"Authorization: Bearer {guess:d32}\r\n"), StringComparison.Ordinal);
        }

        // As at the guarded pages: those who guess from the operator's address do not lock the operator out.
        Assert.Contains(server.StorageDir, await TellAsync(server, $"Authorization: Bearer {Token}\r\n"), StringComparison.Ordinal);
        Directory.Move(server.StorageDir + ".away", server.StorageDir);
    }

    [Fact]
    public async Task Metrics_are_well_formed_and_explain_themselves()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("x"));

        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri("/metrics", UriKind.Relative));
        PrometheusPage page = PrometheusPage.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(page.Types.Keys.Order(StringComparer.Ordinal), page.Helps.Order(StringComparer.Ordinal));
        Assert.All(page.Types, family => Assert.Equal(family.Key.EndsWith("_total", StringComparison.Ordinal), family.Value == "counter"));
        Assert.All(
            [
                "http_requests_total", "http_requests_accepted_total", "http_requests_rejected_body_too_large_total",
                "http_requests_rejected_queue_full_total",
                "s3_events_stored_total", "s3_put_errors_total", "dlq_events_enqueued_total", "dlq_events_reuploaded_total",
                "dlq_events_dropped_total",
                "dlq_files_expired_total", "dlq_files_current", "dlq_size_bytes", "estat_buffered_bytes", "estat_oldest_unflushed_seconds",
                "estat_upload_queue_depth", "estat_ready",
            ],
            name => Assert.Contains(name, page.Samples));
        Assert.Equal(1, page["estat_ready"]);
    }

    [Fact]
    public async Task Requests_are_counted_exactly_and_by_how_they_ended()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { BodyTimeout = TimeSpan.FromSeconds(1) },
            Collect = options.Collect with { MaxBodySize = 10, MaxBatchBodySize = 100, BatchSize = 1 },
        });
        (int Count, int Status, string Request)[] requests =
        [
            (7, 200, RawHttp.Post("Content-Length: 1\r\n") + "x"),
            (5, 200, "GET /collect?x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (3, 200, "GET /collect.gif?x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (2, 200, RawHttp.Post("Content-Length: 5\r\n", "/collect/batch") + "1\n2\n3"),
            (2, 200, RawHttp.Post("Content-Length: 27\r\n", "/collect/batch") + "1\n01234567890\n01234567890\n2"),
            (4, 413, RawHttp.Post("Content-Length: 11\r\n") + "01234567890"),
            (2, 413, RawHttp.Post("Content-Length: 101\r\n", "/collect/batch") + new string('x', 101)),
            (1, 413, "GET /collect?01234567890 HTTP/1.1\r\nHost: a\r\n\r\n"),
            (3, 400, RawHttp.Post("Content-Length: 0\r\n")),
            (2, 400, RawHttp.Post("Content-Length: 1\r\n", "/collect/batch") + "["),
            (1, 415, RawHttp.Post("Content-Encoding: zstd\r\nContent-Length: 1\r\n") + "x"),
            (1, 400, RawHttp.Post("X-Estat-Ack: paper\r\nContent-Length: 1\r\n") + "x"),
            (1, 400, RawHttp.Post("Transfer-Encoding: chunked\r\n") + "nonsense\r\n"),
            (2, 408, RawHttp.Post("Content-Length: 5\r\n") + "x"),
            // These reach no collecting endpoint and are not counted.
            (1, 404, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"),
            (1, 405, "PUT /collect HTTP/1.1\r\nHost: a\r\n\r\n"),
            (1, 204, "OPTIONS /collect HTTP/1.1\r\nHost: a\r\n\r\n"),
            (1, 200, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
            (1, 400, "nonsense\r\n\r\n"),
        ];
        foreach ((int count, int status, string request) in requests)
        {
            for (int i = 0; i < count; i++)
            {
                using RawHttp connection = await server.ConnectAsync();
                await connection.SendAsync(request);
                Assert.Equal(status, (await connection.ReadAnswerAsync()).Status);
            }
        }

        const int Events = 7 + 5 + 3 + (2 * 3) + (2 * 2);
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["s3_events_stored_total"] == Events, Limit, "all events to be stored");
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, Limit, "all requests to end");
        PrometheusPage page = await server.MetricsAsync();
        Assert.Equal(36, page["http_requests_total"]);
        Assert.Equal(19, page["http_requests_accepted_total"]);
        Assert.Equal(7, page["http_requests_rejected_body_too_large_total"]);
        Assert.Equal(8, page["estat_http_requests_rejected_invalid_total"]);
        Assert.Equal(2, page["estat_http_requests_aborted_total"]);
        Assert.Equal(0, page["http_requests_rejected_queue_full_total"]);
        Assert.Equal(4, page["estat_batch_events_rejected_total"]);
        Assert.Equal(Events, page["""estat_events{place="accepted"}"""]);
        Assert.Equal(Events, page["""estat_events{place="stored"}"""]);
        Assert.Equal(0, page["""estat_events{place="buffered"}"""]);
        Assert.Equal(0, page["estat_buffered_bytes"]);
        Assert.Equal(Events, page["""estat_batches_sealed_total{reason="count"}"""]);
    }

    [Fact]
    public async Task A_request_is_in_flight_until_it_is_answered()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post("Content-Length: 2\r\n") + "x");
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 1, Limit, "the request to be in flight");

        await connection.SendAsync(Encoding.ASCII.GetBytes("y"));

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, Limit, "it to have ended");
    }

    // By a name that is not this machine's, so from elsewhere.
    private static async Task<string> TellAsync(RunningServer server, string headers)
    {
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync($"GET /health/sink HTTP/1.1\r\nHost: estat.test\r\n{headers}\r\n");
        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(503, answer.Status);
        return answer.Text;
    }

    // What is remembered of an earlier answer is over each time.
    private Task UntilAsync(RunningServer server, Uri path, HttpStatusCode status) => Wait.UntilAsync(
        async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            using HttpResponseMessage answer = await server.Client.GetAsync(path);
            return answer.StatusCode == status;
        },
        Limit,
        $"{path} to answer {status}");

    [Fact]
    public async Task However_many_scrape_the_node_is_read_once_a_second()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        int readings = 0;
        server.Meter.CreateObservableGauge("readings", () => Interlocked.Increment(ref readings));
        long started = Stopwatch.GetTimestamp();
        string[] texts = await Task.WhenAll(
            Enumerable.Range(0, 300).Select(_ => server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative))));
        Assert.All(texts, text => PrometheusPage.Parse(text));
        Assert.InRange(readings, 1, 1 + (int)Math.Ceiling(Stopwatch.GetElapsedTime(started).TotalSeconds));
    }
}
