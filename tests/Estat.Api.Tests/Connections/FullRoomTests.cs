// All places for connections are taken: who makes room for the next one.
using System.Net;
using System.Net.Sockets;
using Estat.Testing;

namespace Estat.Api.Tests.Connections;

public sealed class FullRoomTests : IDisposable
{
    private const string Health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TestCertificate Own = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90));

    private readonly TempFolder _folder = new();

    public FullRoomTests() => Own.WriteTo(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Silent_connections_that_fill_MAX_CONNECTIONS_keep_neither_a_health_check_nor_an_event_out(bool isTls)
    {
        const int Most = 24;
        await using RunningServer server = await RunningServer.StartAsync(options =>
        {
            options = options with { Http = options.Http with { MaxConnections = Most } };
            return isTls ? options with { Http = options.Http with { HttpTlsCert = _folder["tls.crt"], HttpTlsKey = _folder["tls.key"] } } : options;
        });
        var silent = new List<RawHttp>();
        for (int i = 0; i < 2 * Most; i++)
        {
            silent.Add(await server.ConnectAsync());
        }

        using HttpClient client = NewClient(server, isTls);
        foreach (string path in new[] { "/health", "/health/ready", "/metrics" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        using HttpResponseMessage posted = await client.PostAsync(new Uri("/collect", UriKind.Relative), new StringContent("honest"));
        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        Assert.True(silent[0].IsClosed, "the oldest of the silent ones is still open");
        Assert.False(silent[^1].IsClosed, "the youngest of the silent ones was closed");
        PrometheusPage metrics = PrometheusPage.Parse(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
        Assert.InRange(metrics["estat_connections_open"], 2, Most);
        Assert.InRange(metrics["estat_connections_closed_idle_total"], Most, (2 * Most) + 10);
        Assert.Equal(0, metrics["estat_connections_refused_total"]);
        silent.ForEach(connection => connection.Dispose());
        Assert.Equal(["honest"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task The_connection_that_has_been_idle_for_longest_makes_room_and_those_that_are_busy_stay()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { MaxConnections = 4 },
        });
        using RawHttp busy = await server.ConnectAsync();
        await busy.SendAsync(RawHttp.Post("Content-Length: 9\r\n") + "half");
        using RawHttp used = await server.ConnectAsync();
        using RawHttp silent = await server.ConnectAsync();
        using RawHttp begun = await server.ConnectAsync();
        await begun.SendAsync("GET /health HTTP/1.1\r\nHo"); // no request yet
        // so that the clock has moved when the second one is used, which is why it is not the oldest
        await Task.Delay(50, TestContext.Current.CancellationToken);
        await AskAsync(used);

        using RawHttp first = await server.ConnectAsync();
        await AskAsync(first);
        await silent.UntilClosedAsync();
        using RawHttp second = await server.ConnectAsync();
        await AskAsync(second);
        await begun.UntilClosedAsync();

        await AskAsync(used);
        await busy.SendAsync("-half");
        Assert.Equal(200, (await busy.ReadAnswerAsync()).Status);
        Assert.Equal(["half-half"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Connections_past_MAX_CONNECTIONS_are_closed_while_all_are_busy_and_there_is_room_again_when_one_is_not()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { MaxConnections = 2 },
        });
        using RawHttp one = await server.ConnectAsync();
        using RawHttp two = await server.ConnectAsync();
        foreach (RawHttp connection in new[] { one, two })
        {
            await connection.SendAsync(RawHttp.Post("Content-Length: 4\r\nExpect: 100-continue\r\n"));
            Assert.Equal(100, (await connection.ReadAnswerAsync()).Status);
        }

        using (RawHttp tooMany = await server.ConnectAsync())
        {
            await tooMany.UntilClosedAsync();
        }

        await one.SendAsync("busy");
        Assert.Equal(200, (await one.ReadAnswerAsync()).Status);
        await Wait.UntilAsync(
            async () =>
            {
                using RawHttp next = await server.ConnectAsync();
                try
                {
                    await AskAsync(next);
                    return true;
                }
                catch (Exception error) when (error is EndOfStreamException or SocketException)
                {
                    return false; // it came in the same moment
                }
            },
            Limit,
            "room for another connection");
        await two.SendAsync("busy");
        Assert.Equal(200, (await two.ReadAnswerAsync()).Status);
        Assert.Equal(["busy", "busy"], await server.DrainBodiesAsync());
    }

    private static async Task AskAsync(RawHttp connection)
    {
        await connection.SendAsync(Health);
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
    }

    private static HttpClient NewClient(RunningServer server, bool isTls) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero, // a connection for each request
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    {
        BaseAddress = new Uri($"{(isTls ? "https" : "http")}://127.0.0.1:{server.Port}"),
        Timeout = Limit,
    };
}
