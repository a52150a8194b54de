// A full node says so at once, takes nothing by halves, and recovers by itself.
using System.Net;
using Estat.Api.Tests.Administration;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class BackpressureTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly FaultProxy _storage = FaultProxy.Start(FreePort.Next());

    public void Dispose()
    {
        _storage.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_full_queue_is_503_at_once_and_takes_events_again_when_there_is_room()
    {
        _storage.Fault = Fault.Hang;
        await using ServerProcess server = await StartAsync(channelSize: 1);
        var accepted = new List<string>();
        await FillAsync(server, accepted);

        // Refused at once: the body that is announced is not waited for.
        using (RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port))
        {
            await connection.SendAsync(RawHttp.Post("Content-Length: 5\r\nOrigin: https://shop.example\r\n"));
            RawAnswer answer = await connection.ReadAnswerAsync();
            Assert.Equal(503, answer.Status);
            Assert.Equal(["1"], answer.Headers["Retry-After"]);
            Assert.Equal(["https://shop.example"], answer.Headers["Access-Control-Allow-Origin"]);
            Assert.Contains("queue is full", answer.Detail, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync(new Uri("/collect.gif?x", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PostAsync(server, "/collect/batch", "x\nx"));
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
        Assert.True((await server.MetricsAsync())["http_requests_rejected_queue_full_total"] >= 3);

        _storage.Fault = Fault.Refuse;
        await Wait.UntilAsync(async () => await PostAsync(server, "/collect", "later") == HttpStatusCode.OK, Limit, "room in the queue");
        accepted.Add("later");
        Assert.Equal(accepted.Order(StringComparer.Ordinal), await KeptAtStopAsync(server));
    }

    [Fact]
    public async Task A_batch_that_does_not_fit_is_refused_whole_and_one_that_fits_is_taken_whole()
    {
        _storage.Fault = Fault.Hang;
        await using ServerProcess server = await StartAsync(channelSize: 10);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, "/collect/batch", "taken 0\ntaken 1"));
        List<string> accepted = ["taken 0", "taken 1"];
        await FillAsync(server, accepted, 12);
        Assert.Equal(HttpStatusCode.ServiceUnavailable,
            await PostAsync(server, "/collect/batch", string.Join('\n', Enumerable.Range(0, 8).Select(i => $"refused {i}"))));

        _storage.Fault = Fault.Refuse;
        Assert.Equal(accepted.Order(StringComparer.Ordinal), await KeptAtStopAsync(server));
    }

    [Fact]
    public async Task A_batch_that_is_refused_after_the_tail_has_copied_it_is_not_shown_there()
    {
        _storage.Fault = Fault.Hang;
        await using ServerProcess server = await StartAsync(channelSize: 10);
        using EventReader tail = await EventReader.OpenAsync(server.Client, "/tail?rate=100");
        Assert.Equal("note", (await tail.NextAsync())?.Name); // it watches
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, "/collect/batch", "taken 0\ntaken 1"));
        List<string> accepted = ["taken 0", "taken 1"];
        await FillAsync(server, accepted, 12);
        Assert.Equal(HttpStatusCode.ServiceUnavailable,
            await PostAsync(server, "/collect/batch", string.Join('\n', Enumerable.Range(0, 8).Select(i => $"refused {i}"))));
        var shown = new List<string>();
        while (shown.Count < accepted.Count)
        {
            (string Name, string Data)? next = await tail.NextAsync();
            Assert.NotNull(next);
            if (next.Value.Name == "event")
            {
                using var line = System.Text.Json.JsonDocument.Parse(next.Value.Data);
                shown.Add(line.RootElement.GetProperty("body").GetString()!);
            }
        }

        Assert.Equal(accepted, shown);
        _storage.Fault = Fault.Refuse;
    }

    [Fact]
    public async Task A_full_DLQ_is_503_and_makes_the_node_unready()
    {
        _storage.Fault = Fault.Refuse;
        await using ServerProcess server = await StartAsync(channelSize: 100, ("DLQ_MAX_SIZE_BYTES", "1"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(server, "/collect", "the last one"));

        await Wait.UntilAsync(async () => await PostAsync(server, "/collect", "x") == HttpStatusCode.ServiceUnavailable, Limit, "the DLQ to be full");

        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), new StringContent("x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Contains("disk", await Problems.DetailOfAsync(answer), StringComparison.Ordinal);
        using HttpResponseMessage ready = await server.Client.GetAsync(new Uri("/health/ready", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("DLQ_MAX_SIZE_BYTES", await Problems.DetailOfAsync(ready), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        Assert.True((await server.MetricsAsync())["estat_http_requests_rejected_storage_full_total"] >= 2);
    }

    [Fact]
    public async Task Clients_that_send_large_batches_together_are_not_refused_while_the_node_keeps_up()
    {
        const int Clients = 20;
        const int Requests = 5;
        const int Events = 500;
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"],
            ["SPOOL_DIR"] = folder["spool"],
            ["DLQ_DIR"] = folder["dlq"],
        });
        string batch = string.Join('\n', Enumerable.Range(0, Events).Select(i => $$"""{"event":"click","n":{{i}}}"""));

        HttpStatusCode[][] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            var all = new List<HttpStatusCode>();
            for (int i = 0; i < Requests; i++)
            {
                all.Add(await PostAsync(server, "/collect/batch", batch));
            }

            return all.ToArray();
        })));

        Assert.All(answers.SelectMany(all => all), status => Assert.Equal(HttpStatusCode.OK, status));
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        Assert.Equal(Clients * Requests * Events, StoredEvents.FromFolder(folder["data"]).Count);
    }

    private Task<ServerProcess> StartAsync(int channelSize, params (string Name, string Value)[] more)
    {
        var environment = new Dictionary<string, string>
        {
            ["RAW_BUCKET"] = "events",
            ["S3_ENDPOINT"] = _storage.Endpoint,
            ["AWS_ACCESS_KEY_ID"] = "key",
            ["AWS_SECRET_ACCESS_KEY"] = "secret",
            ["S3_TIMEOUT"] = "5m",
            ["S3_APP_RETRIES"] = "0",
            ["DLQ_DIR"] = _folder["dlq"],
            ["SPOOL_DIR"] = _folder["spool"],
            ["ACK"] = "memory", // above it batches wait on the disk, and the queue is hardly ever full
            ["DISK_MIN_FREE_BYTES"] = "0",
            ["RECOVERY_INTERVAL"] = "1h",
            ["PARTITIONS"] = "1",
            ["CHANNEL_SIZE"] = $"{channelSize}",
            ["BATCH_SIZE"] = "1",
            ["UPLOAD_QUEUE"] = "1",
            ["UPLOAD_CONCURRENCY"] = "1",
        };
        foreach ((string name, string value) in more)
        {
            environment[name] = value;
        }

        return ServerProcess.StartAsync(environment);
    }

    // Posts until the node is full for good: beside those in the queue one batch hangs in its upload, and one waits for it.
    private static async Task FillAsync(ServerProcess server, List<string> accepted, int most = 3)
    {
        await Wait.UntilAsync(
            async () =>
            {
                string body = $"event {accepted.Count}";
                bool isAccepted = await PostAsync(server, "/collect", body) == HttpStatusCode.OK;
                if (isAccepted)
                {
                    accepted.Add(body);
                }

                return !isAccepted && accepted.Count >= most;
            },
            Limit,
            "the queue to be full",
            () => $"{accepted.Count} events taken");
    }

    private static async Task<HttpStatusCode> PostAsync(ServerProcess server, string path, string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri(path, UriKind.Relative), content);
        return answer.StatusCode;
    }

    private async Task<IEnumerable<string>> KeptAtStopAsync(ServerProcess server)
    {
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        return StoredEvents.FromFolder(_folder["dlq"]).Select(stored => stored.Body).Order(StringComparer.Ordinal);
    }
}
