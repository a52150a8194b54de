// Clients that go away, at whatever moment: counted, and no word in the log.
using Estat.Testing;

namespace Estat.Api.Tests.Connections;

public sealed class LeavingClientTests : IDisposable
{
    private const int Streams = 100;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TestCertificate Own = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90));

    private readonly TempFolder _folder = new();

    public LeavingClientTests() => Own.WriteTo(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/collect", "a reset")]
    [InlineData("/collect", "an end")]
    [InlineData("/collect", "streams taken back")]
    [InlineData("/collect/batch", "a reset")]
    [InlineData("/collect/batch", "an end")]
    [InlineData("/collect/batch", "streams taken back")]
    public async Task A_hundred_requests_of_one_HTTP_2_client_that_leaves_are_counted_and_write_nothing(string path, string how)
    {
        await using ServerProcess server = await StartAsync();
        using RawHttp2 client = await RawHttp2.ConnectAsync(server.BaseAddress.Port);
        int[] streams = [.. Enumerable.Range(0, Streams).Select(_ => client.Begin("POST", path, "x"))];
        Assert.True(await client.FlushAsync());
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == Streams, Limit, "all requests to be read");

        if (how == "a reset")
        {
            client.Vanish();
        }
        else if (how == "an end")
        {
            client.Dispose();
        }
        else
        {
            Array.ForEach(streams, client.Cancel);
            Assert.True(await client.FlushAsync());
        }

        await Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, Limit, "all requests to end");
        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        Assert.Equal(Streams, metrics["estat_http_requests_aborted_total"]);
        Assert.Equal(0, metrics["""estat_events{place="accepted"}"""]);
        await EndsInSilenceAsync(server);
    }

    [Fact]
    public async Task Rapid_resets_end_the_connection_and_are_counted_and_nobody_is_woken()
    {
        await using ServerProcess server = await StartAsync();
        await Wait.UntilAsync(
            async () =>
            {
                using RawHttp2 client = await RawHttp2.ConnectAsync(server.BaseAddress.Port);
                for (int round = 0; round < 20; round++)
                {
                    for (int i = 0; i < Streams; i++)
                    {
                        client.Cancel(client.Begin("GET", "/metrics", null));
                    }

                    if (!await client.FlushAsync())
                    {
                        break;
                    }
                }

                return (await server.MetricsAsync())["estat_http2_connections_aborted_total"] >= 1;
            },
            Limit,
            "Kestrel to end such a connection");
        await EndsInSilenceAsync(server);
    }

    [Fact]
    public async Task Clients_that_leave_in_headers_bodies_handshakes_streams_and_before_the_answer_write_nothing()
    {
        await using ServerProcess plain = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_LEVEL"] = "warning" });
        string[] halves =
        [
            "POST /coll", RawHttp.Post("Content-Length: 9\r\n") + "half",
            RawHttp.Post("Content-Encoding: gzip\r\nContent-Length: 9\r\n", "/collect/batch") + "half",
            RawHttp.Post("Transfer-Encoding: chunked\r\n") + "4\r\nha", RawHttp.Post("Content-Length: 9\r\n", "/admin/session") + "half",
            RawHttp.Post("Content-Length: 4\r\nX-Estat-Ack: stored\r\n") + "whole"[..4],
            "GET /collect.gif?x HTTP/1.1\r\nHost: a\r\nX-Estat-Ack: stored\r\n\r\n",
            "GET /tail HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /admin/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n", "GET /console HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /health/sink HTTP/1.1\r\nHost: a\r\n\r\n",
        ];
        foreach (string half in halves)
        {
            foreach (bool isReset in new[] { true, false })
            {
                using RawHttp client = await RawHttp.ConnectAsync(plain.BaseAddress.Port);
                await client.SendAsync(half);
                if (isReset)
                {
                    client.Reset();
                }
            }
        }

        await UntilAllHaveLeftAsync(plain);
        await EndsInSilenceAsync(plain);

        await using ServerProcess tls = await StartAsync();
        foreach (string greeting in new[] { "", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/1.1\r\n\r\n" })
        {
            using RawHttp client = await RawHttp.ConnectAsync(tls.BaseAddress.Port);
            await client.SendAsync(greeting);
            client.Reset();
        }

        using (RawHttp2 client = await RawHttp2.ConnectAsync(tls.BaseAddress.Port))
        {
            foreach (string path in new[] { "/metrics", "/tail", "/admin/live", "/collect?x", "/collect.gif?x", "/openapi.json",
                "/console", "/nowhere" })
            {
                client.Begin("GET", path, null);
            }

            Assert.True(await client.FlushAsync());
            client.Vanish();
        }

        await UntilAllHaveLeftAsync(tls);
        await EndsInSilenceAsync(tls);
    }

    // One connection is the asker's own.
    private static Task UntilAllHaveLeftAsync(ServerProcess server) =>
        Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_connections_open"] <= 1, Limit, "all connections to end");

    // Kestrel may say something of a connection at its very end: what is printed until the process has ended counts.
    private static async Task EndsInSilenceAsync(ServerProcess server)
    {
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        Assert.True(server.Output.Count == 0, string.Join(Environment.NewLine, server.Output));
    }

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(
        new Dictionary<string, string> { ["LOG_LEVEL"] = "warning", ["HTTP_TLS_CERT"] = _folder["tls.crt"], ["HTTP_TLS_KEY"] = _folder["tls.key"] });
}
