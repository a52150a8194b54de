// The real server inside the test's process: what a test of the HTTP contract talks to.
using System.Globalization;
using System.Net;
using Estat.Api.Hosting;
using Estat.Api.Options;
using Estat.Api.Tests.Contract;
using Estat.Http.Answering;
using Estat.Testing;

namespace Estat.Api.Tests;

/// <summary>A standalone server on a port of 127.0.0.1, with one partition (so that events are stored in the order of their requests), over a
/// folder.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(30);

    private readonly TempFolder _folder;
    private readonly StandaloneServer _server;
    private bool _drained;

    private RunningServer(Func<EstatOptions, EstatOptions>? configure, TimeProvider? time)
    {
        _folder = new TempFolder();
        var options = new EstatOptions
        {
            Http = new() { HttpAddr = "127.0.0.1:0" },
            Node = new() { LogLevel = "critical" },
            Collect = new()
            {
                DlqDir = _folder["dlq"],
                SpoolDir = _folder["spool"],
                Partitions = 1,
                // Room for all that a test sends: on a busy machine the writer may come late, and 503 is not what most tests are about.
                ChannelSize = 1_000_000,
                ChannelBytes = 1L << 30,
                Storage = new() { StorageDir = _folder["data"] },
            },
            Requests = new() { Dir = _folder["requests"] },
        };
        options = configure?.Invoke(options) ?? options;
        _server = new StandaloneServer(options, time ?? TimeProvider.System, isTerminal: false);
        var description = ApiDescription.Of(OpenApiPage.Write(_server.Descriptions));
        Client = new HttpClient(new ContractHandler(description, new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }));
    }

    /// <summary>Sends requests to the server; without a redirect, a proxy or a word of its own. Each answer is held against /openapi.json.</summary>
    internal HttpClient Client { get; }

    /// <summary>Where the server listens.</summary>
    internal int Port => _server.Address.Port;

    /// <summary>The node's instruments.</summary>
    internal System.Diagnostics.Metrics.Meter Meter => _server.Engine.Instruments.Meter;

    /// <summary>Where objects go.</summary>
    internal string StorageDir => _folder["data"];

    internal static async Task<RunningServer> StartAsync(Func<EstatOptions, EstatOptions>? configure = null, TimeProvider? time = null)
    {
        var server = new RunningServer(configure, time);
        await server._server.StartAsync();
        server.Client.BaseAddress = server._server.Address;
        return server;
    }

    /// <summary>Posts an event as it is, without even a Content-Type.</summary>
    internal async Task<HttpStatusCode> PostAsync(byte[] body)
    {
        using var content = new ByteArrayContent(body);
        using HttpResponseMessage answer = await Client.PostAsync(new Uri("/collect", UriKind.Relative), content);
        return answer.StatusCode;
    }

    /// <inheritdoc cref="PostAsync(byte[])"/>
    internal Task<HttpStatusCode> PostAsync(string body) => PostAsync(System.Text.Encoding.UTF8.GetBytes(body));

    /// <summary>Opens a connection that sends what it is told.</summary>
    internal Task<RawHttp> ConnectAsync() => RawHttp.ConnectAsync(Port);

    /// <summary>Reads <c>/metrics</c>, strictly.</summary>
    internal async Task<PrometheusPage> MetricsAsync() =>
        PrometheusPage.Parse(await Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));

    /// <summary>Stops the server as a signal does and returns all that it stored, in order.</summary>
    internal async Task<IReadOnlyList<StoredEvent>> DrainAsync()
    {
        _drained = true;
        _server.Signals.Stop("the test's end");
        Assert.Equal(0, await _server.RunAsync().WaitAsync(DrainLimit));
        return [.. StoredEvents.ObjectsFromFolder(StorageDir).OrderBy(stored => Number(stored.Key)).SelectMany(stored => stored.Events)];
    }

    /// <summary>Stops the server and returns the bodies of all that it stored, in order.</summary>
    internal async Task<IReadOnlyList<string>> DrainBodiesAsync() => [.. (await DrainAsync()).Select(stored => stored.Body)];

    // Names end in _<number>.jsonl.gz; objects are numbered as they are opened.
    private static long Number(string key) =>
        long.Parse(key.AsSpan(key.LastIndexOf('_') + 1, key.Length - key.LastIndexOf('_') - 1 - ".jsonl.gz".Length), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (!_drained)
        {
            _server.Signals.Stop("the test's end");
            await _server.RunAsync().WaitAsync(DrainLimit);
        }

        Client.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
    }
}
