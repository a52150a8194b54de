// Clients that are slow, vanish or come in crowds: they get their due and cost nobody else anything.
using System.Net;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class SlowAndBrokenClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Theory]
    [InlineData("/collect", "Content-Length: 100\r\n", "half")]
    [InlineData("/collect", "Transfer-Encoding: chunked\r\n", "4\r\nhalf\r\n")]
    [InlineData("/collect", "Content-Encoding: gzip\r\nContent-Length: 100\r\n", "half")]
    [InlineData("/collect/batch", "Content-Length: 100\r\n", "half\n")]
    [InlineData("/collect/batch", "Transfer-Encoding: chunked\r\n", "")]
    public async Task A_body_that_does_not_arrive_in_time_is_408_and_counted_as_aborted(string path, string headers, string half)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { BodyTimeout = Short },
        });
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(RawHttp.Post(headers, path) + half);

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(408, answer.Status);
        Assert.Contains("BODY_TIMEOUT", answer.Detail, StringComparison.Ordinal);
        Assert.Equal(["close"], answer.Headers["Connection"]);
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == 0, Limit, "the request to end");
        PrometheusPage metrics = await server.MetricsAsync();
        Assert.Equal(1, metrics["estat_http_requests_aborted_total"]);
        Assert.Equal(0, metrics["estat_http_requests_rejected_invalid_total"]);
        Assert.Empty(await server.DrainAsync());
    }

    [Theory]
    [InlineData("/collect", "")]
    [InlineData("/collect", "Content-Encoding: identity\r\n")]
    [InlineData("/collect/batch", "")]
    public async Task A_body_that_goes_on_trickling_is_ended_by_BODY_TIMEOUT_as_well(string path, string headers)
    {
        // At every look a few bytes more: above the least rate that Kestrel allows, and whole only after several seconds.
        const int Length = 16_000;
        const int AtOnce = 40;
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { BodyTimeout = Short },
        });
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post($"{headers}Content-Length: {Length}\r\n", path));
        int sent = 0;

        await Wait.UntilAsync(
            async () =>
            {
                if (connection.HasAnswer || sent == Length)
                {
                    return true;
                }

                await connection.SendAsync(new string('x', AtOnce));
                sent += AtOnce;
                return false;
            },
            Limit,
            "an answer");

        Assert.Equal(408, (await connection.ReadAnswerAsync()).Status);
        Assert.Empty(await server.DrainAsync());
    }

    [Theory]
    [InlineData("POST /coll")]
    [InlineData("POST /collect HTTP/1.1\r\nHost: estat.test\r\nUser-")]
    public async Task Headers_that_do_not_arrive_in_time_end_the_connection(string begun)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { HeaderTimeout = Short },
        });
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(begun);

        await connection.UntilClosedAsync();
        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("good"));
        Assert.Equal(["good"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("a reset", "Content-Length: 100\r\n", "half")]
    [InlineData("a reset", "Transfer-Encoding: chunked\r\n", "4\r\nhalf\r\n")]
    [InlineData("an end", "Content-Length: 100\r\n", "half")]
    [InlineData("an end", "Transfer-Encoding: chunked\r\n", "4\r\nhalf\r\n")]
    [InlineData("an end", "Transfer-Encoding: chunked\r\n", "4\r\nha")]
    public async Task A_client_that_vanishes_in_the_middle_of_a_body_leaves_no_event_and_is_counted(string how, string headers, string half)
    {
        const int Clients = 60;
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_LEVEL"] = "warning" });
        var connections = new List<RawHttp>();
        for (int i = 0; i < Clients; i++)
        {
            RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            connections.Add(connection);
            await connection.SendAsync(RawHttp.Post(headers, i % 2 == 0 ? "/collect" : "/collect/batch") + half);
        }

        await UntilInFlightAsync(server, Clients);
        foreach (RawHttp connection in connections)
        {
            if (how == "a reset")
            {
                connection.Reset();
            }
            else
            {
                connection.FinishSending();
            }
        }

        await UntilInFlightAsync(server, 0);
        connections.ForEach(connection => connection.Dispose());
        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        Assert.Equal(Clients, metrics["estat_http_requests_aborted_total"]);
        Assert.Equal(0, metrics["estat_http_requests_rejected_invalid_total"]);
        Assert.Equal(0, metrics["""estat_events{place="accepted"}"""]);
        // Clients come and go: that is nothing to wake anybody for.
        Assert.Empty(server.Output);
    }

    [Fact]
    public async Task Connections_of_slow_bodies_are_closed_without_a_word_in_the_log()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["LOG_LEVEL"] = "warning", ["BODY_TIMEOUT"] = "100ms" });
        await Task.WhenAll(new[] { "/collect", "/collect/batch" }.Select(async path =>
        {
            using RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            await connection.SendAsync(RawHttp.Post("Content-Length: 100\r\n", path) + "half");
            Assert.Equal(408, (await connection.ReadAnswerAsync()).Status);
            // Kestrel waits some seconds for the rest, so that the answer is not lost to a reset.
            await connection.UntilClosedAsync();
        }));

        Assert.Empty(server.Output);
    }

    [Fact]
    public async Task Ten_thousand_idle_connections_take_nothing_from_the_others()
    {
        int crowd = Math.Min(10_000, (OpenFilesLimit() - 1000) / 2);
        Assert.True(crowd >= 1000, $"ulimit -n is {OpenFilesLimit()}: too low for a crowd");
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>());
        var idle = new RawHttp[crowd];
        try
        {
            await Parallel.ForAsync(0, crowd, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
            {
                idle[i] = await RawHttp.ConnectAsync(server.BaseAddress.Port);
                // Some have never said a word, some have been served and stay.
                if (i % 4 == 0)
                {
                    await PostAsync(idle[i], "x");
                }
            });

            using RawHttp other = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            for (int i = 0; i < 500; i++)
            {
                await PostAsync(other, "x");
            }

            Assert.DoesNotContain(idle, connection => connection.IsClosed);
            await PostAsync(idle[0], "x");
            await PostAsync(idle[1], "x");
        }
        finally
        {
            foreach (RawHttp? connection in idle)
            {
                connection?.Dispose();
            }
        }

        Assert.Equal(((crowd + 3) / 4) + 502, (await server.MetricsAsync())["http_requests_accepted_total"]);
    }

    [Fact]
    public async Task Hundreds_of_clients_that_send_a_byte_at_a_time_are_served_and_keep_nobody_waiting()
    {
        const int Slow = 500;
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with
            {
                Http = options.Http with { BodyTimeout = TimeSpan.FromMinutes(10), HeaderTimeout = TimeSpan.FromMinutes(10) },
            });
        var connections = new List<RawHttp>();
        for (int i = 0; i < Slow; i++)
        {
            connections.Add(await server.ConnectAsync());
        }

        string request = RawHttp.Post("Content-Length: 4\r\n") + "slow";

        // In one piece: at 240 bytes a second Kestrel gives a body 5 s, in which a busy machine has no time for 500 clients three times.
        const int Rest = 3;
        foreach (char letter in request[..^Rest])
        {
            foreach (RawHttp connection in connections)
            {
                await connection.SendAsync(letter.ToString());
            }

            Assert.Equal(HttpStatusCode.OK, await server.PostAsync("quick"));
        }

        foreach (RawHttp connection in connections)
        {
            await connection.SendAsync(request[^Rest..]);
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
            connection.Dispose();
        }

        IReadOnlyList<string> stored = await server.DrainBodiesAsync();
        Assert.Equal(Slow, stored.Count(body => body == "slow"));
        Assert.Equal(request.Length - Rest, stored.Count(body => body == "quick"));
    }

    private static async Task PostAsync(RawHttp connection, string body)
    {
        await connection.SendAsync(RawHttp.Post($"Content-Length: {body.Length}\r\n") + body);
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
    }

    private static Task UntilInFlightAsync(ServerProcess server, int requests) => Wait.UntilAsync(
        async () => (await server.MetricsAsync())["estat_http_requests_in_flight"] == requests, Limit, $"{requests} requests in flight");

    private static int OpenFilesLimit() => int.Parse(
        File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3],
        System.Globalization.CultureInfo.InvariantCulture);
}
