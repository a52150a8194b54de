// Whatever fails while a request is handled, what was begun to be counted for it ends: the seat of its connection, the request, its charge on a key.
using System.Net;
using System.Text;
using Estat.Api.Options;
using Estat.Api.Tests.Access;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Hosting;
using Estat.Collect.Http;
using Estat.Collect.Intake;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Http.ClientAddress;
using Estat.Http.Connections;
using Estat.Http.Routing;
using Estat.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Api.Tests.Http;

public sealed class RequestCountTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly KeyFile _keys = new(new { name = "daily", sha256 = KeyFile.Hash("daily"), daily_quota = 1 });
    private readonly Engine _engine;
    private readonly WriteKeys _known;
    private readonly FailingIngest _ingest;
    private readonly HeapRelief _relief = new(TimeProvider.System);
    private readonly RequestDelegate _handle;

    public RequestCountTests()
    {
        var options = new EstatOptions
        {
            Keys = new() { File = _keys.Path },
            Collect = new()
            {
                SpoolDir = _folder["spool"],
                DlqDir = _folder["dlq"],
                Partitions = 1,
                SpoolVolatile = true,
                Storage = new() { StorageDir = _folder["data"] },
            },
        };
        var store = new FolderObjectStore(options.Collect.Storage.StorageDir, TimeProvider.System);
        _engine = new Engine(options.Collect, store, TimeProvider.System, NullLoggerFactory.Instance);
        _known = WriteKeys.Open(options.WriteKeys, TimeProvider.System, NullLogger.Instance)!;
        _ingest = new FailingIngest(_engine.Ingest);
        var http = new CollectHttp(
            options.Collect,
            new NodeServices(options.Http, TimeProvider.System, NullLoggerFactory.Instance, Stopping: new TaskCompletionSource().Task, _relief),
            _ingest, _engine.Levels, _engine.Instruments, _engine.Requests, _known, isOpen: false, tail: null);
        var access = new AdminAccess(options.Http, _engine.Instruments.Meter, TimeProvider.System, NullLoggerFactory.Instance);
        var operators = new OperatorRouter(health: null!, scrape: null!, http.Routes.Keys, http.Pages, access, NullLogger.Instance);
        _handle = new Router(http.Routes, new Dictionary<string, PathHandler>(), operators).HandleAsync;
        _engine.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DrainAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
        await _engine.DisposeAsync();
        _relief.Dispose();
        _known.Dispose();
        _keys.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("POST", "/collect")]
    [InlineData("GET", "/collect")]
    [InlineData("GET", "/collect.gif")]
    [InlineData("POST", "/collect/batch")]
    [InlineData("OPTIONS", "/collect")]
    [InlineData("PUT", "/collect")]
    [InlineData("PUT", "/collect.gif")]
    [InlineData("PUT", "/collect/batch")]
    [InlineData("GET", "/nowhere")]
    public async Task A_request_that_fails_before_anything_waits_leaves_its_connection_idle(string method, string path)
    {
        var seat = new ConnectionSeat();
        DefaultHttpContext context = NewContext(method, path, seat);
        context.Features.Set<IHttpResponseFeature>(new NoHeaders());

        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => _handle(context));

        Assert.True(seat.IsIdle);
        Assert.Equal(0, _engine.Requests.InFlight);
    }

    [Theory]
    [InlineData("POST", "/collect", false)]
    [InlineData("POST", "/collect", true)]
    [InlineData("GET", "/collect", false)]
    [InlineData("GET", "/collect.gif", true)]
    [InlineData("POST", "/collect/batch", false)]
    [InlineData("POST", "/collect/batch", true)]
    public async Task An_event_that_fails_on_its_way_takes_nothing_of_its_key_s_day(string method, string path, bool later)
    {
        var seat = new ConnectionSeat();
        _ingest.Fault = later ? Fault.Later : Fault.AtOnce;
        DefaultHttpContext failed = NewContext(method, path, seat);
        await _handle(failed);
        Assert.Equal(500, failed.Response.StatusCode);

        _ingest.Fault = Fault.None;
        DefaultHttpContext taken = NewContext(method, path, seat);
        await _handle(taken);
        DefaultHttpContext over = NewContext(method, path, seat);
        await _handle(over);

        Assert.Equal((200, 429), (taken.Response.StatusCode, over.Response.StatusCode));
        Assert.True(seat.IsIdle);
        Assert.Equal(0, _engine.Requests.InFlight);
    }

    private static DefaultHttpContext NewContext(string method, string path, ConnectionSeat seat)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(seat);
        context.Features.Set(Peer.Of(IPAddress.Loopback, new TrustedProxies([])));
        context.Request.Method = method;
        context.Request.Path = path;
        context.Request.Protocol = "HTTP/1.1";
        context.Request.Headers.Origin = "https://shop.example";
        context.Request.Headers["X-Api-Key"] = KeyFile.Key("daily");
        if (method == "POST")
        {
            context.Request.Body = new MemoryStream(Encoding.ASCII.GetBytes("{}"));
            context.Request.ContentLength = 2;
        }
        else
        {
            context.Request.QueryString = new QueryString("?a=b");
        }

        return context;
    }

    private enum Fault
    {
        None,
        AtOnce,
        Later,
    }

    // As Kestrel's is for a header that it does not write.
    private sealed class NoHeaders : HttpResponseFeature, IHttpResponseFeature
    {
        IHeaderDictionary IHttpResponseFeature.Headers
        {
            get => throw new InvalidOperationException("no header can be written");
            set => throw new InvalidOperationException("no header can be written");
        }
    }

    private sealed class FailingIngest(IIngest inner) : IIngest
    {
        internal Fault Fault { get; set; }

        public Admission Outlook(AckLevel level, string? prefix = null) => inner.Outlook(level, prefix);

        public LineBlock NewBlock(string? prefix = null) => inner.NewBlock(prefix);

        public ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level) =>
            Fault == Fault.None ? inner.AcceptAsync(header, body, level) : FailAsync();

        public ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level) => Fault == Fault.None ? inner.AcceptAsync(block, level) : FailAsync();

        private ValueTask<Ack> FailAsync() => Fault == Fault.AtOnce ? throw new InvalidOperationException("a fault of the ingest") : FailLaterAsync();

        private static async ValueTask<Ack> FailLaterAsync()
        {
            await Task.Yield();
            throw new InvalidOperationException("a fault of the ingest");
        }
    }
}
