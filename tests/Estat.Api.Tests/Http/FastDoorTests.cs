// The fast door in the real server: nobody can tell it from Kestrel's HTTP. `make difference` asks the same for longer.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Estat.Fuzz;
using Estat.Fuzz.Differences;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class FastDoorTests
{
    private const string Left = "estat_fast_door_left_total";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_same_bytes_get_the_same_answers_with_the_door_and_without()
    {
        var words = new StringWriter();
        var options = new FuzzOptions(Seed: 20261201, TimeSpan.FromSeconds(8), Connections: 16);

        bool isSame = await DifferenceRun.RunAsync(options, TextWriter.Synchronized(words));

        Assert.True(isSame, words.ToString());
    }

    [Fact]
    public async Task Plain_requests_stay_at_the_door_and_the_first_other_one_leaves_with_its_connection()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await StartAsync(folder);
        double before = (await server.MetricsAsync())[Left];
        using RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);
        for (int i = 0; i < 5; i++)
        {
            await connection.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "a");
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal(before, (await server.MetricsAsync())[Left]);
        await connection.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "a" + "GET /health HTTP/1.1\r\nHost: estat.test\r\n\r\n"
            + RawHttp.Post("Content-Length: 1\r\n") + "a");
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal(before + 1, (await server.MetricsAsync())[Left]);
    }

    [Fact]
    public async Task Without_the_door_all_goes_to_Kestrel()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await StartAsync(folder, ("HTTP_FAST_DOOR", "false"));
        using RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);
        await connection.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "a");

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        Assert.DoesNotContain(Left, (await server.MetricsAsync()).Keys);
    }

    // An ack from the disk takes a while, one from memory none: the later request is ready first.
    [Fact]
    public async Task Requests_that_are_sent_without_waiting_are_answered_in_order()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await RawHttp.ConnectAsync(server.Port);
        (string Headers, string Body, int Status, string? Level)[] requests =
        [
            ("X-Estat-Ack: disk\r\n", "a", 200, "disk"), ("X-Estat-Ack: memory\r\n", "b", 200, "memory"), ("", "", 400, null),
            ("X-Estat-Ack: paper\r\n", "c", 400, null), ("X-Estat-Ack: disk\r\n", "d", 200, "disk"), ("X-Estat-Ack: memory\r\n", "e", 200, "memory"),
        ];
        for (int round = 0; round < 20; round++)
        {
            await connection.SendAsync(string.Concat(requests.Select(request => RawHttp.Post(string.Create(
                CultureInfo.InvariantCulture, $"{request.Headers}Content-Length: {request.Body.Length}\r\n")) + request.Body)));
            foreach ((_, _, int status, string? level) in requests)
            {
                RawAnswer answer = await connection.ReadAnswerAsync();
                Assert.Equal((status, level), (answer.Status, answer.Headers["X-Estat-Ack"].SingleOrDefault()));
            }
        }
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task An_idle_connection_ends_after_KEEPALIVE_TIMEOUT(string door)
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await StartAsync(folder, ("HTTP_FAST_DOOR", door), ("KEEPALIVE_TIMEOUT", "1s"));
        using RawHttp unused = await RawHttp.ConnectAsync(server.BaseAddress.Port);
        using RawHttp used = await RawHttp.ConnectAsync(server.BaseAddress.Port);
        await used.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "a");
        Assert.Equal(200, (await used.ReadAnswerAsync()).Status);

        await unused.UntilClosedAsync();
        await used.UntilClosedAsync();
    }

    // Kestrel would never read it: a client that sends it again must not find it stored.
    [Fact]
    public async Task What_comes_behind_an_answer_that_closes_is_not_taken()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { MaxBodySize = 1000 },
        });
        using RawHttp connection = await RawHttp.ConnectAsync(server.Port);
        await connection.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "a" + RawHttp.Post("Content-Length: 1500\r\n") + new string('b', 1500)
            + RawHttp.Post("Content-Length: 1\r\n") + "c");

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        RawAnswer refused = await connection.ReadAnswerAsync();
        Assert.Equal((413, "close"), (refused.Status, refused.Headers["Connection"].Single()));
        await connection.UntilClosedAsync();
        Assert.Equal(["a"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    public async Task A_client_that_reads_late_gets_every_answer_and_holds_up_nobody(string body)
    {
        const int Requests = 20_000;
        await using RunningServer server = await RunningServer.StartAsync();
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync("127.0.0.1", server.Port);
        NetworkStream stream = client.GetStream();
        // More than the kernels of both sides take in.
        string padding = new('p', 1000);
        byte[] request = Encoding.ASCII.GetBytes(
            RawHttp.Post(string.Create(CultureInfo.InvariantCulture, $"X-Padding: {padding}\r\nContent-Length: {body.Length}\r\n")) + body);
        int sent = 0;
        Task sending = SendAllAsync();
        // The server stops reading from a client that does not read.
        int seen = -1;
        await Wait.UntilAsync(
            async () =>
            {
                bool stands = seen == Volatile.Read(ref sent);
                seen = sent;
                await Task.Delay(200);
                return stands;
            },
            Limit, "the server to stop reading");
        Assert.InRange(seen, 1, Requests - 1);
        using (RawHttp other = await RawHttp.ConnectAsync(server.Port))
        {
            await other.SendAsync(RawHttp.Post("Content-Length: 1\r\n") + "x");
            Assert.Equal(200, (await other.ReadAnswerAsync()).Status);
        }

        Assert.Equal(Requests, await CountAnswersAsync());
        await sending;

        async Task SendAllAsync()
        {
            for (; sent < Requests; Interlocked.Increment(ref sent))
            {
                await stream.WriteAsync(request);
            }
        }

        async Task<int> CountAnswersAsync()
        {
            string expected = body.Length == 0 ? "HTTP/1.1 400 " : "HTTP/1.1 200 ";
            int answers = 0;
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            while (answers < Requests && await reader.ReadLineAsync().WaitAsync(Limit) is { } line)
            {
                answers += line.StartsWith(expected, StringComparison.Ordinal) ? 1 : 0;
            }

            return answers;
        }
    }

    private static Task<ServerProcess> StartAsync(TempFolder folder, params (string Name, string Value)[] options)
    {
        var environment = new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"],
            ["SPOOL_DIR"] = folder["spool"],
            ["DLQ_DIR"] = folder["dlq"],
            ["LOG_LEVEL"] = "warning",
        };
        foreach ((string name, string value) in options)
        {
            environment[name] = value;
        }

        return ServerProcess.StartAsync(environment);
    }
}
