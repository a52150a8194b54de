// POST /collect/batch: the memory that batches in progress share, and that each gives it back however it ends.
using System.Text;
using Estat.Api.Tests.Http;
using Estat.Testing;

namespace Estat.Api.Tests.Bulk;

public sealed class BatchMemoryTests
{
    [Fact]
    public async Task Bodies_in_progress_past_INFLIGHT_BYTES_are_503_until_one_of_them_is_done()
    {
        const int Half = 600_000;
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { InflightBytes = 2 << 20 },
        });
        byte[] large = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('b', 999) + "\n", 1000)));
        RawHttp slow = await SendHalfAsync(server, Half);

        int status = 0;
        await Wait.UntilAsync(
            async () =>
            {
                status = (await server.PostBatchAsync(large)).Status;
                if (status == 413)
                {
                    // The large one was there first and the slow one was turned away: nothing else holds any memory.
                    slow.Dispose();
                    slow = await SendHalfAsync(server, Half);
                }

                return status == 503;
            },
            TimeSpan.FromSeconds(20), "the slow body to hold the memory", () => $"{status}");
        Assert.Equal(System.Net.HttpStatusCode.OK, await server.PostAsync("a single event needs none of it"));
        Assert.Equal(200, (await server.PostBatchAsync("small"u8.ToArray())).Status);
        slow.Reset();
        slow.Dispose();

        await Wait.UntilAsync(
            async () => (await server.PostBatchAsync(large[..500_000])).Status == 200, TimeSpan.FromSeconds(20), "its memory to be free");
        Assert.DoesNotContain(await server.DrainBodiesAsync(), body => body[0] == 's' && body != "small");
    }

    private static async Task<RawHttp> SendHalfAsync(RunningServer server, int half)
    {
        RawHttp slow = await server.ConnectAsync();
        await slow.SendAsync(RawHttp.Post($"X-Forwarded-For: 203.0.113.7\r\nContent-Length: {2 * half}\r\n", "/collect/batch")
            + new string('s', Bodies.Largest) + "\n");
        await slow.SendAsync(string.Concat(Enumerable.Repeat(new string('s', 999) + "\n", (half - Bodies.Largest) / 1000)));
        return slow;
    }

    [Fact]
    public async Task A_batch_of_very_many_small_events_is_taken_whole()
    {
        const int Events = 200_000;
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, string body) = await server.PostBatchAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("tiny\n", Events))));
        Assert.True(status == 200, body);
        Assert.Equal(Events, (await server.DrainAsync()).Count);
    }

    [Fact]
    public async Task However_a_batch_ends_its_memory_is_free_again()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { InflightBytes = 4 << 20, BodyTimeout = TimeSpan.FromSeconds(1) },
            Collect = options.Collect with { MaxBatchBodySize = 3 << 20 },
        });
        byte[] largest = await LargestThatFitsAsync(server);
        byte[] lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 99) + "\n", 500)));
        byte[] broken = [.. "["u8, .. Encoding.ASCII.GetBytes(string.Join(',', Enumerable.Repeat("1234567890", 2000))), .. "}"u8];
        byte[] gzip = Encoded.As("gzip", lines);
        byte[] bomb = Encoded.As("br", new byte[64 << 20]);
        for (int i = 0; i < 40; i++)
        {
            Assert.Equal(200, (await server.PostBatchAsync(lines)).Status);
            Assert.Equal(200, (await server.PostBatchAsync(gzip, coding: "gzip")).Status);
            Assert.Equal(400, (await server.PostBatchAsync(broken)).Status);
            Assert.Equal(400, (await server.PostBatchAsync(gzip[..^10], coding: "gzip")).Status);
            Assert.Equal(413, (await server.PostBatchAsync(bomb, coding: "br")).Status);
            Assert.Equal(415, (await server.PostBatchAsync(gzip, coding: "zstd")).Status);
            using RawHttp gone = await server.ConnectAsync();
            await gone.SendAsync(RawHttp.Post("Content-Length: 200000\r\n", "/collect/batch") + new string('x', 100_000));
            gone.Reset();
        }

        using RawHttp late = await server.ConnectAsync();
        await late.SendAsync(RawHttp.Post("Content-Length: 200000\r\n", "/collect/batch") + new string('x', 100_000));
        Assert.Equal(408, (await late.ReadAnswerAsync()).Status);

        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, TimeSpan.FromSeconds(20), "all requests to end");
        Assert.Equal(200, (await server.PostBatchAsync(largest)).Status);
    }

    // The largest batch that the memory allows, to some tens of kilobytes: if that much is lost for good, it no longer passes.
    private static async Task<byte[]> LargestThatFitsAsync(RunningServer server)
    {
        byte[] fits = [];
        for (int lines = 100; ; lines += 100)
        {
            byte[] batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 999) + "\n", lines)));
            (int status, _) = await server.PostBatchAsync(batch);
            if (status != 200)
            {
                Assert.Equal(413, status);
                Assert.NotEmpty(fits);
                return fits;
            }

            fits = batch;
        }
    }
}
