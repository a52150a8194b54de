// HTTPS with HTTP/1.1 and HTTP/2: everything that works without TLS works over it.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Estat.Api.Options;
using Estat.Api.Tests.Access;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TestCertificate Own = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90));

    private readonly TempFolder _folder = new();

    public TlsTests() => Own.WriteTo(_folder);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Versions => ["1.1", "2.0"];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Events_are_collected_in_every_form(string version)
    {
        await using RunningServer server = await StartAsync();
        using HttpClient client = Client(server, version);
        await SendAsync(client, HttpMethod.Post, "/collect", "single", 200);
        await SendAsync(client, HttpMethod.Get, "/collect?pixel", null, 200);
        await SendAsync(client, HttpMethod.Get, "/collect?" + new string('q', 16_384), null, 200); // as large in HTTP/2, where it is a header
        await SendAsync(client, HttpMethod.Post, "/collect/batch", "one\ntwo", 200);
        await SendAsync(client, HttpMethod.Post, "/collect/batch", string.Join('\n', Enumerable.Repeat(new string('x', 10_000), 300)), 200);
        await SendAsync(client, HttpMethod.Post, "/collect", new string('x', 16_385), 413);
        await SendAsync(client, HttpMethod.Post, "/collect", "", 400);
        await SendAsync(client, HttpMethod.Options, "/collect", null, 204);
        await SendAsync(client, HttpMethod.Get, "/health/ready", null, 200);
        await SendAsync(client, HttpMethod.Get, "/metrics", null, 200);
        await SendAsync(client, HttpMethod.Get, "/nowhere", null, 404);
        Assert.Equal(["single", "pixel", new string('q', 16_384), "one", "two"], (await server.DrainBodiesAsync()).Take(5));
    }

    [Theory]
    [InlineData("--http1.1", "1.1")]
    [InlineData("--http2", "2")]
    public async Task Curl_collects_over_either_version(string option, string version)
    {
        Assert.SkipUnless(Command.Exists("curl"), "there is no curl here");
        await using RunningServer server = await StartAsync();
        string printed = await Command.SucceedAsync(
            Patience, "curl", "-s", "--cacert", _folder["tls.crt"], option, "-d", "by curl", "-w", "%{http_version} %{response_code}",
            $"https://127.0.0.1:{server.Port}/collect");
        Assert.Equal($"{version} 200", printed);
        Assert.Equal(["by curl"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Requests_that_share_a_connection_keep_their_own_client_address()
    {
        await using RunningServer server = await StartAsync();
        using HttpClient client = Client(server, "2.0");
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(async i =>
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, "/collect") { Content = new StringContent($"{i}"), Version = client.DefaultRequestVersion };
            request.Headers.Add("X-Forwarded-For", AddressOf(i));
            using HttpResponseMessage answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }));

        IReadOnlyList<StoredEvent> stored = await server.DrainAsync();
        Assert.Equal(2000, stored.Count);
        Assert.All(stored, one => Assert.Equal(AddressOf(int.Parse(one.Body, null)), one.Ip));

        static string AddressOf(int i) => $"203.0.{i / 250}.{(i % 250) + 1}";
    }

    [Fact]
    public async Task An_error_on_one_request_of_a_connection_leaves_the_others_alone()
    {
        int connections = 0;
        await using RunningServer server = await StartAsync();
        using HttpClient client = Client(server, "2.0", () => connections++);
        for (int i = 0; i < 5; i++)
        {
            await SendAsync(client, HttpMethod.Post, "/collect", new string('x', 16_385), 413);
            await SendAsync(client, HttpMethod.Post, "/collect", "fine", 200);
        }

        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task A_connection_carries_a_hundred_requests_at_once_at_most()
    {
        await using RunningServer server = await StartAsync();
        await using SslStream stream = await ConnectAsync(server, SslApplicationProtocol.Http2);
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray(), TestContext.Current.CancellationToken);

        byte[] head = new byte[9];
        await stream.ReadExactlyAsync(head).AsTask().WaitAsync(Patience);
        Assert.Equal(4, head[3]); // SETTINGS
        byte[] settings = new byte[(head[1] << 8) | head[2]];
        await stream.ReadExactlyAsync(settings).AsTask().WaitAsync(Patience);
        Assert.Contains(settings.Chunk(6), setting => setting is [0, 3, 0, 0, 0, 100]); // MAX_CONCURRENT_STREAMS
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_from_1_2_on_is_spoken_and_without_ALPN_it_is_HTTP_1_1(SslProtocols protocol)
    {
        await using RunningServer server = await StartAsync();
        await using SslStream stream = await ConnectAsync(server, null, protocol);
        await stream.WriteAsync("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        byte[] answer = new byte[12];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(Patience);
        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(answer));
        Assert.Equal(protocol, stream.SslProtocol);
    }

    [Fact]
    public async Task TLS_1_1_is_not_spoken()
    {
        Assert.SkipUnless(Command.Exists("openssl"), "there is no openssl here");
        await using RunningServer server = await StartAsync();
        CommandResult old = await Command.RunAsync(
            Patience, "openssl", "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
        Assert.Contains("alert protocol version", old.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_connects_and_says_nothing_is_let_go_after_HEADER_TIMEOUT()
    {
        await using RunningServer server = await StartAsync(options => options with
        {
            Http = options.Http with { HeaderTimeout = TimeSpan.FromMilliseconds(300) },
        });
        using RawHttp silent = await server.ConnectAsync();
        await silent.UntilClosedAsync();
        using RawHttp plain = await server.ConnectAsync();
        await plain.TrySendAsync("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        await plain.UntilClosedAsync();
        using HttpClient client = Client(server, "2.0");
        await SendAsync(client, HttpMethod.Get, "/health", null, 200);
    }

    [Fact]
    public async Task A_renewed_certificate_reaches_new_connections_of_a_running_server()
    {
        await using RunningServer server = await StartAsync();
        TestCertificate renewed = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(180));
        renewed.WriteTo(_folder);
        string? seen = null;
        await Wait.UntilAsync(
            async () =>
            {
                await using SslStream stream = await ConnectAsync(server, null);
                seen = ((System.Security.Cryptography.X509Certificates.X509Certificate2)stream.RemoteCertificate!).SerialNumber;
                return seen == renewed.Serial;
            },
            Patience, "the new certificate to be shown", () => $"{seen}");
    }

    [Fact]
    public async Task Metrics_say_how_long_the_certificate_holds()
    {
        await using RunningServer server = await StartAsync();
        using HttpClient client = Client(server, "1.1");
        PrometheusPage page = PrometheusPage.Parse(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
        Assert.InRange(page["estat_tls_certificate_expires_seconds"], 89 * 86_400, 90 * 86_400);
        Assert.Equal(0, page["estat_tls_certificate_reload_errors_total"]);
    }

    [Fact]
    public async Task A_session_cookie_is_for_TLS_only_and_pages_ask_browsers_to_come_back_by_TLS()
    {
        await using RunningServer server = await StartAsync(options => options with
        {
            Http = options.Http with { AdminToken = "0123456789abcdef" },
        });
        using HttpClient client = Client(server, "2.0");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/session") { Content = new StringContent("""{"token":"0123456789abcdef"}"""), Version = client.DefaultRequestVersion };
        request.Headers.Add("X-Estat-Admin", "1");
        using HttpResponseMessage answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Contains("; secure", Assert.Single(answer.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        Assert.Equal("max-age=31536000", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
    }

    [Fact]
    public async Task A_draining_node_asks_HTTP_2_clients_to_connect_elsewhere_and_still_answers_those_it_has()
    {
        int connections = 0;
        await using RunningServer server = await StartAsync();
        using HttpClient client = Client(server, "2.0", () => Interlocked.Increment(ref connections));
        var body = new SlowContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect/batch") { Content = body, Version = client.DefaultRequestVersion };
        Task<HttpResponseMessage> sending = client.SendAsync(request);
        await Wait.UntilAsync(
            async () => (await MetricsAsync(client))["estat_http_requests_in_flight"] >= 1, Patience, "the slow request to be read");
        Assert.Equal(1, connections);

        Task<IReadOnlyList<string>> draining = server.DrainBodiesAsync();
        await Wait.UntilAsync(async () => await StatusAsync(client, "/health/ready") == 503, Patience, "the drain to begin");
        await SendAsync(client, HttpMethod.Post, "/collect", "late", 503);
        await Wait.UntilAsync(
            async () =>
            {
                await SendAsync(client, HttpMethod.Post, "/collect", "later", 503);
                return connections > 1;
            },
            Patience, "the client to open another connection");
        body.Finish();
        using HttpResponseMessage answer = await sending.WaitAsync(Patience);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(["begun"], await draining);
    }

    [Theory]
    [InlineData("127.0.0.1", 0)]
    [InlineData("localhost", 0)]
    [InlineData("own", 1)]
    public async Task The_health_probe_checks_certificates_but_for_this_machine_s_own_addresses(string host, int exitCode)
    {
        IPAddress own = NonLoopback.Address;
        await using RunningServer server = await StartAsync(options => options with
        {
            Http = options.Http with { HttpAddr = "0.0.0.0:0" },
        });
        (int code, _, string errors) = await ServerCommand.RunAsync(
            _folder.Path, [], ["--health", $"https://{(host == "own" ? own.ToString() : host)}:{server.Port}/health/ready"]);
        Assert.Equal(exitCode, code);
        Assert.Equal(exitCode == 1, errors.Contains("certificate", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_health_probe_finds_the_node_of_its_own_environment()
    {
        await using RunningServer server = await StartAsync();
        (int code, _, string errors) = await ServerCommand.RunAsync(
            _folder.Path, [$"HTTP_ADDR=127.0.0.1:{server.Port}", $"HTTP_TLS_CERT={_folder["tls.crt"]}"], ["--health", "/health/ready"]);
        Assert.Equal((0, ""), (code, errors));
    }

    [Fact]
    public async Task A_wrong_file_ends_the_start_with_2_and_one_line()
    {
        File.WriteAllText(_folder["tls.key"], "nothing");
        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            _folder.Path, [$"HTTP_TLS_CERT={_folder["tls.crt"]}", $"HTTP_TLS_KEY={_folder["tls.key"]}"],
            ["--SPOOL_VOLATILE=true", "--HTTP_ADDR=127.0.0.1:0"]);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith($"estat: HTTP_TLS_KEY={_folder["tls.key"]}: must be a PEM file", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    private static async Task<PrometheusPage> MetricsAsync(HttpClient client) =>
        PrometheusPage.Parse(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));

    private static async Task<int> StatusAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return (int)answer.StatusCode;
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, string? body, int status)
    {
        using var request = new HttpRequestMessage(
            method, path) { Version = client.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Content = body is null ? null : new StringContent(body, MediaTypeHeaderValue.Parse("text/plain"));
        using HttpResponseMessage answer = await client.SendAsync(request).WaitAsync(Patience);
        Assert.Equal((status, client.DefaultRequestVersion), ((int)answer.StatusCode, answer.Version));
        if (status >= 400)
        {
            await Problems.DetailOfAsync(answer);
        }
    }

    private static async Task<SslStream> ConnectAsync(RunningServer server, SslApplicationProtocol? protocol, SslProtocols tls = SslProtocols.None)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = tls,
            ApplicationProtocols = protocol is { } one ? [one] : null,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        }).WaitAsync(Patience);
        return stream;
    }

    // One connection, whatever comes.
    private static HttpClient Client(RunningServer server, string version, Action? onConnect = null) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        ConnectCallback = async (context, cancellation) =>
        {
            onConnect?.Invoke();
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri($"https://127.0.0.1:{server.Port}"),
        DefaultRequestVersion = Version.Parse(version),
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private Task<RunningServer> StartAsync(Func<EstatOptions, EstatOptions>? configure = null) => RunningServer.StartAsync(options =>
    {
        options = options with { Http = options.Http with { HttpTlsCert = _folder["tls.crt"], HttpTlsKey = _folder["tls.key"] } };
        return configure?.Invoke(options) ?? options;
    });

    // A body whose end comes when the test says so.
    private sealed class SlowContent : HttpContent
    {
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Finish() => _finished.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("begun"u8.ToArray());
            await stream.FlushAsync();
            await _finished.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
