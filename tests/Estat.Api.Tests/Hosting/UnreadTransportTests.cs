// Clients that do not read, against the real server: over both versions of HTTP, and both kinds of threads.
using Estat.Http.Options;
using Estat.Soak.Attacks;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class UnreadTransportTests : IDisposable
{
    private const long Bound = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TestCertificate Own = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90));

    private readonly TempFolder _folder = new();

    public UnreadTransportTests() => Own.WriteTo(_folder);

    public static TheoryData<string, SocketThreads> Attacks => new()
    {
        { "http2", SocketThreads.Inline },
        { "http2", SocketThreads.Pool },
        { "http1 over TLS", SocketThreads.Inline },
        { "http1", SocketThreads.Inline },
        { "http1", SocketThreads.Pool },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Answers_that_nobody_reads_hold_no_more_than_UNREAD_BYTES_and_a_client_that_reads_is_served(string how, SocketThreads sockets)
    {
        IAttack attack = how switch
        {
            "http2" => new UnreadStreams(4, between: 1),
            "http1" => new UnreadPipeline(20, isTls: false, between: 1),
            _ => new UnreadPipeline(20, isTls: true, between: 1),
        };
        await using RunningServer server = await StartAsync(sockets, isTls: how != "http1");
        using HttpClient client = Client(server);
        using var ending = new CancellationTokenSource();
        Task attacking = attack.RunAsync(server.Port, ending.Token);
        double most = 0;
        await Wait.UntilAsync(
            async () =>
            {
                (double bytes, double closed) = await ReadAsync(client);
                most = Math.Max(most, bytes);
                return closed >= 3;
            },
            Patience, "connections to be closed", () => $"{most} bytes at most");
        using HttpResponseMessage answer = await client.PostAsync(new Uri("/collect", UriKind.Relative), new StringContent("honest"));
        Assert.True(answer.IsSuccessStatusCode);
        Assert.InRange(most, 0, Bound);
        await ending.CancelAsync();
        await attacking;
        await Wait.UntilAsync(async () => (await ReadAsync(client)).Bytes == 0, Patience, "nothing to be held any more");
        Assert.Equal(["honest"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Requests_that_nobody_ends_count_as_well()
    {
        await using RunningServer server = await StartAsync(SocketThreads.Inline, isTls: false);
        using HttpClient client = Client(server);
        var hostile = new List<RawHttp>();
        for (int i = 0; i < 100; i++)
        {
            hostile.Add(await server.ConnectAsync());
            await hostile[^1].TrySendAsync("GET /collect?" + new string('q', 12_000));
        }

        await Wait.UntilAsync(async () => (await ReadAsync(client)).Closed > 0, Patience, "connections to be closed");
        Assert.InRange((await ReadAsync(client)).Bytes, 0, Bound);
        hostile.ForEach(connection => connection.Dispose());
        await Wait.UntilAsync(async () => (await ReadAsync(client)).Bytes == 0, Patience, "nothing to be held any more");
    }

    [Fact]
    public async Task A_download_that_nobody_reads_on_counts_as_well()
    {
        await using RunningServer server = await StartAsync(SocketThreads.Inline, isTls: true);
        Directory.CreateDirectory(Path.Combine(server.StorageDir, "raw"));
        await File.WriteAllBytesAsync(Path.Combine(server.StorageDir, "raw", "large"), new byte[1 << 20]);
        using HttpClient client = Client(server);
        using RawHttp2 hostile = await RawHttp2.ConnectAsync(server.Port); // it opens no window beyond the first 64 KB
        hostile.Begin("GET", "/admin/objects/content?key=raw/large", body: null);
        await hostile.FlushAsync();

        double bytes = 0;
        await Wait.UntilAsync(async () => (bytes = (await ReadAsync(client)).Bytes) > 0, Patience, "the download to wait for its client");

        Assert.InRange(bytes, 1, 64 * 1024);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_large_answer_comes_whole_to_a_client_that_takes_its_time(string version)
    {
        await using RunningServer server = await StartAsync(SocketThreads.Inline, isTls: true);
        using HttpClient client = Client(server);
        byte[] whole = await client.GetByteArrayAsync(new Uri("/openapi.json", UriKind.Relative));
        using var request = new HttpRequestMessage(
            HttpMethod.Get, "/openapi.json") { Version = new Version(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        var read = new MemoryStream();
        var some = new byte[3000];
        for (int count; (count = await body.ReadAsync(some)) > 0;)
        {
            read.Write(some, 0, count);
            await Task.Yield();
        }

        Assert.Equal(whole, read.ToArray());
    }

    private static async Task<(double Bytes, double Closed)> ReadAsync(HttpClient client)
    {
        PrometheusPage page = PrometheusPage.Parse(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
        return (page["estat_unread_bytes"], page["estat_unread_closed_total"]);
    }

    private static HttpClient Client(RunningServer server)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        // the test's own
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, faults) =>
            faults != System.Net.Security.SslPolicyErrors.RemoteCertificateNotAvailable;
        return new HttpClient(handler) { BaseAddress = new Uri(server.Client.BaseAddress!, "/") };
    }

    private Task<RunningServer> StartAsync(SocketThreads sockets, bool isTls) => RunningServer.StartAsync(options => options with
    {
        Http = options.Http with
        {
            Sockets = sockets,
            UnreadBytes = Bound,
            HttpTlsCert = isTls ? _folder["tls.crt"] : options.Http.HttpTlsCert,
            HttpTlsKey = isTls ? _folder["tls.key"] : options.Http.HttpTlsKey,
        },
    });
}
