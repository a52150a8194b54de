// X-Estat-Ack and X-Estat-Key: what a request may ask for, and what its answer says was reached and where.
using Estat.Base.Acks;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class AckTests(RealS3 s3)
{
    private const string Host = "Host: estat.test\r\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly string[] Endpoints = ["POST /collect", "GET /collect", "GET /collect.gif", "POST /collect/batch"];

    public static TheoryData<string, string, string> Levels
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string endpoint in Endpoints)
            {
                data.Add(endpoint, "", "disk");
                data.Add(endpoint, "X-Estat-Ack: memory\r\n", "memory");
                data.Add(endpoint, "X-Estat-Ack: disk\r\n", "disk");
                data.Add(endpoint, "X-Estat-Ack: stored\r\n", "stored");
            }

            data.Add(Endpoints[0], "x-estat-ack:  Stored \r\n", "stored");
            data.Add(Endpoints[0], "X-ESTAT-ACK: MEMORY\r\n", "memory");
            return data;
        }
    }

    public static TheoryData<string, string> WrongLevels
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string endpoint in Endpoints)
            {
                foreach (string header in new[]
                {
                    "X-Estat-Ack: paper\r\n", "X-Estat-Ack: \r\n", "X-Estat-Ack: replica\r\n", "X-Estat-Ack: memory, disk\r\n",
                        "X-Estat-Ack: disk,disk\r\n",
                    "X-Estat-Ack: disk\r\nX-Estat-Ack: disk\r\n", "X-Estat-Ack: 1\r\n", "X-Estat-Ack: disk;q=1\r\n", "X-Estat-Ack: d\xefsk\r\n",
                })
                {
                    data.Add(endpoint, header);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public async Task An_answer_says_the_level_that_was_reached_and_names_the_object_in_which_the_event_is_found(
        string endpoint, string header, string level)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        RawAnswer answer = await AskAsync(server, endpoint, header, "an-event");
        Assert.Equal(200, answer.Status);
        Assert.Equal([level], answer.Headers["X-Estat-Ack"]);
        string key = Assert.Single(answer.Headers["X-Estat-Key"]);
        if (level == "stored")
        {
            Assert.True(File.Exists(Path.Combine(server.StorageDir, key)), "answered stored, and it is not there");
        }

        StoredEvent stored = Assert.Single(await server.DrainAsync());
        Assert.Equal(("an-event", key), (stored.Body, stored.Key));
    }

    [Theory]
    [MemberData(nameof(WrongLevels))]
    public async Task A_level_that_is_not_on_offer_is_400_names_those_that_are_and_stores_nothing(string endpoint, string header)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        RawAnswer answer = await AskAsync(server, endpoint, header, "x");
        Assert.Equal(400, answer.Status);
        Assert.Contains("memory, disk, stored", answer.Detail, StringComparison.Ordinal);
        Assert.Empty(answer.Headers["X-Estat-Ack"]);
        Assert.Empty(answer.Headers["X-Estat-Key"]);
        Assert.Equal(1, (await server.MetricsAsync())["estat_http_requests_rejected_invalid_total"]);
        Assert.Empty(await server.DrainAsync());
    }

    [Theory]
    [InlineData("disk", "disk")]
    [InlineData("memory", "memory stored")]
    [InlineData("stored", "disk stored")]
    [InlineData("memory", "memory disk stored")]
    public async Task Only_what_ACK_ALLOWED_lists_may_be_asked_for_and_ACK_is_what_a_request_gets_that_asks_for_nothing(string ack, string allowed)
    {
        AckLevel[] levels = [.. allowed.Split(' ').Select(name => AckLevels.Parse(name)!.Value)];
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with
            {
                Collect = options.Collect with
                {
                    Ack = AckLevels.Parse(ack)!.Value,
                    AckAllowed = levels,
                    StoredMaxWait = TimeSpan.FromMilliseconds(200),
                },
            });
        Assert.Equal([ack], (await AskAsync(server, Endpoints[0], "", "by default")).Headers["X-Estat-Ack"]);
        foreach (AckLevel level in AckLevels.OfOneNode)
        {
            RawAnswer answer = await AskAsync(server, Endpoints[0], $"X-Estat-Ack: {level.ToText()}\r\n", level.ToText());
            Assert.Equal(levels.Contains(level) ? 200 : 400, answer.Status);
            if (answer.Status == 400)
            {
                Assert.Contains(string.Join(", ", levels.Select(one => one.ToText())) + ".", answer.Detail, StringComparison.Ordinal);
            }
        }

        Assert.Equal(
            levels.Select(level => level.ToText()).Append("by default").Order(StringComparer.Ordinal),
            (await server.DrainBodiesAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_batch_that_fills_several_objects_names_them_all_in_order()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { BatchSize = 10 },
        });
        RawAnswer answer = await AskAsync(server, Endpoints[3], "", string.Join('\n', Enumerable.Range(0, 25)));
        string[] keys = Assert.Single(answer.Headers["X-Estat-Key"]).Split(", ");
        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();
        Assert.Equal(stored.Select(one => one.Key).Distinct(), keys);
        Assert.Equal(Enumerable.Range(0, 25).Select(n => $"{n}"), stored.Select(one => one.Body));
    }

    [Fact]
    public async Task Events_of_different_levels_share_no_object()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        var keys = new List<string>();
        foreach (string level in new[] { "memory", "disk", "stored", "memory", "disk" })
        {
            keys.Add((await AskAsync(server, Endpoints[0], $"X-Estat-Ack: {level}\r\n", level)).Headers["X-Estat-Key"].Single());
        }

        Assert.Equal((keys[0], keys[1]), (keys[3], keys[4]));
        Assert.Equal(3, keys.Distinct().Count());
        Assert.Equal(keys.Order(StringComparer.Ordinal), (await server.DrainAsync()).Select(stored => stored.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pages_may_ask_for_a_level_and_read_what_was_reached()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(
            $"OPTIONS /collect HTTP/1.1\r\n{Host}Origin: https://shop.example\r\nAccess-Control-Request-Method: "
                + $"POST\r\nAccess-Control-Request-Headers: x-estat-ack\r\n\r\n");
        RawAnswer preflight = await connection.ReadAnswerAsync();
        Assert.Contains("X-Estat-Ack", preflight.Headers["Access-Control-Allow-Headers"].Single(), StringComparison.OrdinalIgnoreCase);
        foreach (string endpoint in Endpoints)
        {
            RawAnswer answer = await AskAsync(server, endpoint, "Origin: https://shop.example\r\n", "x");
            string exposed = answer.Headers["Access-Control-Expose-Headers"].Single();
            Assert.Contains("X-Estat-Ack", exposed, StringComparison.Ordinal);
            Assert.Contains("X-Estat-Key", exposed, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(FaultKind.Hang)]
    [InlineData(FaultKind.Refuse)]
    public async Task Stored_that_the_store_does_not_confirm_is_202_with_disk_and_is_stored_once_under_its_key(FaultKind fault)
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["STORED_MAX_WAIT"] = "100ms";
        options["S3_TIMEOUT"] = "1s";
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        var keys = new Dictionary<string, string>();
        await Wait.UntilAsync(
            async () =>
            {
                // The first uploads of a process are slow: it connects, and compiles.
                string body = $"before-{keys.Count}";
                RawAnswer good = await AskAsync(server.BaseAddress.Port, Endpoints[0], "X-Estat-Ack: stored\r\n", body);
                Assert.Equal((good.Status == 200 ? 200 : 202, good.Status == 200 ? "stored" : "disk"),
                    (good.Status, good.Headers["X-Estat-Ack"].Single()));
                keys[body] = good.Headers["X-Estat-Key"].Single();
                Assert.True(good.Status == 202 || (await StoredEvents.FromBucketAsync(s3.Rgw.Client, bucket, "raw/"))
                    .Any(stored => stored.Body == body), "answered stored, and it is not there");
                return good.Status == 200;
            },
            Limit, "the store to confirm in time");

        proxy.Fault = new Fault(fault);
        foreach (string endpoint in Endpoints)
        {
            string body = endpoint.Replace(' ', '-');
            RawAnswer answer = await AskAsync(server.BaseAddress.Port, endpoint, "X-Estat-Ack: stored\r\n", body);
            Assert.Equal((202, "disk"), (answer.Status, answer.Headers["X-Estat-Ack"].Single()));
            keys[body] = answer.Headers["X-Estat-Key"].Single();
        }

        Assert.Equal(keys.Count, (await server.MetricsAsync())["http_requests_accepted_total"]);
        proxy.Fault = Fault.None;
        await Oracle.UntilAllStoredAsync(server, Limit);
        IReadOnlyList<StoredEvent> stored = [.. await StoredEvents.FromBucketAsync(s3.Rgw.Client, bucket, "raw/")];
        Assert.Equal(keys.OrderBy(pair => pair.Key, StringComparer.Ordinal), stored.Select(one => KeyValuePair.Create(one.Body, one.Key))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pixels_and_batches_have_their_usual_bodies_at_202()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { StoredMaxWait = TimeSpan.FromMilliseconds(200) },
        });
        // A folder in the way of the objects: the store refuses, and at once.
        await File.WriteAllTextAsync(Path.Combine(server.StorageDir, "raw"), "");
        RawAnswer pixel = await AskAsync(server, Endpoints[2], "X-Estat-Ack: stored\r\n", "x");
        Assert.Equal((202, "image/gif", 'G'), (pixel.Status, pixel.Headers["Content-Type"].Single(), (char)pixel.Body[0]));
        RawAnswer batch = await AskAsync(server, Endpoints[3], "X-Estat-Ack: stored\r\n", "x\ny");
        Assert.Equal((202, """{"accepted":2,"rejected":[]}"""), (batch.Status, batch.Text));
    }

    private static async Task<RawAnswer> AskAsync(RunningServer server, string endpoint, string headers, string body) =>
        await AskAsync(server.Port, endpoint, headers, body);

    private static async Task<RawAnswer> AskAsync(int port, string endpoint, string headers, string body)
    {
        using RawHttp connection = await RawHttp.ConnectAsync(port);
        await connection.SendAsync(endpoint.StartsWith("GET", StringComparison.Ordinal)
            ? $"{endpoint}?{body} HTTP/1.1\r\n{Host}{headers}\r\n"
            : $"{endpoint} HTTP/1.1\r\n{Host}{headers}Content-Length: {body.Length}\r\n\r\n{body}");
        return await connection.ReadAnswerAsync();
    }
}
