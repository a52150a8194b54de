// A process that may open few files: connections leave the spool what it needs, and nothing spins.
using System.Globalization;
using System.Net;
using Estat.Api.Options;
using Estat.Collect.Http;
using Estat.Http.Listening;
using Estat.Testing;

namespace Estat.Api.Tests.Connections;

public sealed class DescriptorTests : IDisposable
{
    private const long GrowthAllowed = 64L << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TestCertificate Own = TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90));

    private readonly TempFolder _folder = new();

    public DescriptorTests() => Own.WriteTo(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1024, 16_384, 702)]
    [InlineData(256, 16_384, 32)]
    [InlineData(1_048_576, 16_384, 16_384)]
    [InlineData(1024, 10, 10)]
    public void What_a_limit_leaves_is_what_there_may_be_of_connections(long limit, int asked, int connections)
    {
        OpenFiles files = Files(new EstatOptions { Http = new() { MaxConnections = asked }, Collect = new() { Partitions = 4 } }, limit);
        Assert.Equal(connections, files.Connections);
        Assert.Equal(322, files.Reserve);
        Assert.InRange(Files(new EstatOptions { Keys = new() { File = "keys.json" } }, limit).Reserve, files.Reserve + 32, 1000);
        Assert.Equal(asked, Files(new EstatOptions { Http = new() { MaxConnections = asked } }, limit: null).Connections);
    }

    [Theory]
    [InlineData(false, "inline")]
    [InlineData(true, "inline")]
    [InlineData(false, "pool")]
    public async Task More_idle_connections_than_descriptors_keep_no_event_from_the_disk(bool isTls, string sockets)
    {
        const int Descriptors = 400;
        const int Crowd = 2 * Descriptors;
        int port = FreePort.Next();
        var environment = new Dictionary<string, string> { ["HTTP_ADDR"] = $"127.0.0.1:{port}", ["SOCKETS"] = sockets, ["LOG_LEVEL"] = "warning" };
        if (isTls)
        {
            environment["HTTP_TLS_CERT"] = _folder["tls.crt"];
            environment["HTTP_TLS_KEY"] = _folder["tls.key"];
        }

        await using ChildProcess server = ChildProcess.Launch(
            "the server", ["bash", "-c", $"ulimit -n {Descriptors}; exec \"$0\" \"$@\"", .. ChildProcess.DotnetCommand("Estat.Api", [])],
            environment);
        using HttpClient client = NewClient(port, isTls);
        await UntilReadyAsync(server, client);
        await Wait.UntilAsync(
            () => server.Output.Any(line => line.Contains("\"FewOpenFiles\"", StringComparison.Ordinal)
                && line.Contains($"open {Descriptors} files", StringComparison.Ordinal)),
            Limit, "the log's line about few open files", () => server.AllOutput);
        long before = ResidentBytesOf(server.Id);

        var crowd = new List<RawHttp>();
        for (int i = 0; i < Crowd; i++)
        {
            crowd.Add(await RawHttp.ConnectAsync(port));
        }

        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await PostAsync(client));
        }

        server.ThrowIfEnded("the crowd had left");
        Assert.True(Directory.GetFiles($"/proc/{server.Id}/fd").Length < Descriptors, "no descriptor is left");
        Assert.True(ResidentBytesOf(server.Id) < before + GrowthAllowed, $"{before >> 20} MB became {ResidentBytesOf(server.Id) >> 20} MB");
        crowd.ForEach(connection => connection.Dispose());
        Assert.DoesNotContain(server.Output,
            line => line.Contains("\"CannotAccept\"", StringComparison.Ordinal) || line.Contains("\"critical\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_descriptors_run_out_all_the_same_the_listener_rests_and_goes_on()
    {
        Assert.SkipUnless(Command.Exists("prlimit"), "there is no prlimit here");
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_LEVEL"] = "warning" });
        using HttpClient client = NewClient(server.BaseAddress.Port, isTls: false);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(client));
        // As if something else in the process used them up.
        int most = Directory.GetFiles($"/proc/{server.Id}/fd").Length + 20;
        await Command.SucceedAsync(Limit, "prlimit", "--pid", server.Id.ToString(CultureInfo.InvariantCulture), $"--nofile={most}:");

        var crowd = new List<RawHttp>();
        for (int i = 0; i < 60; i++)
        {
            crowd.Add(await RawHttp.ConnectAsync(server.BaseAddress.Port));
        }

        await Wait.UntilAsync(() => server.Output.Any(line => line.Contains("\"CannotAccept\"", StringComparison.Ordinal)), Limit,
            "the listener to find no descriptor");
        for (int i = 0; i < 20; i++)
        {
            // The honest client's own connection may be the one that is closed for its descriptor.
            await Wait.UntilAsync(async () => await TryPostAsync(client) == HttpStatusCode.OK, Limit, "an honest event to be taken");
        }

        Assert.Single(server.Output, line => line.Contains("\"CannotAccept\"", StringComparison.Ordinal));
        crowd.ForEach(connection => connection.Dispose());
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("honest") };
        request.Headers.Add("X-Estat-Ack", "disk");
        using HttpResponseMessage answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode?> TryPostAsync(HttpClient client)
    {
        try
        {
            return await PostAsync(client);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static Task UntilReadyAsync(ChildProcess server, HttpClient client) => Wait.UntilAsync(
        async () =>
        {
            server.ThrowIfEnded("it was ready");
            try
            {
                using HttpResponseMessage answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        },
        TimeSpan.FromSeconds(60),
        "the server to be ready");

    private static long ResidentBytesOf(int process) => 1024 * long.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static HttpClient NewClient(int port, bool isTls) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero, // a connection for each request
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    {
        BaseAddress = new Uri($"{(isTls ? "https" : "http")}://127.0.0.1:{port}"),
        Timeout = Limit,
    };

    private static OpenFiles Files(EstatOptions options, long? limit) =>
        OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys), limit);
}
