// The listener: Kestrel with Estat's limits, in front of one request delegate.
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Estat.Http.Bodies;
using Estat.Http.Connections;
using Estat.Http.FastDoor;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Estat.Http.Listening;

/// <summary>Owns Kestrel. What it listens for, and what it needs to be told to stop, is its owner's.</summary>
internal sealed partial class HttpFront : IAsyncDisposable
{
    // https://github.com/dotnet/aspnetcore: KestrelServerOptions.cs. Without it a line of a request may end in a bare LF, which others on the way
    // read otherwise.
    private const string OnlyCrlf = "Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators";

    private readonly HttpOptions _options;
    private readonly HeapRelief _relief;
    private readonly UnreadMemory _unread;
    private readonly BlockPools _blocks = new(TimeProvider.System);
    private readonly ConnectionCounters _connections = new();
    private readonly OpenFiles _files;
    private readonly FastDoorMiddleware? _door;
    private readonly ILogger _logger;
    private readonly WebApplication _app;

    /// <param name="options">Where it listens, and its limits.</param>
    /// <param name="files">How many connections there may be.</param>
    /// <param name="longestQuery">Bytes that a query may have.</param>
    /// <param name="signals">What ends the process; without it the host would end itself.</param>
    /// <param name="loggers">Where Kestrel logs; stays its owner's.</param>
    /// <param name="handle">Handles every request.</param>
    /// <param name="relief">Is told of answers that hold much memory; becomes this one's.</param>
    /// <param name="certificate">For TLS; null is without. Stays its owner's.</param>
    /// <param name="door">What stands before Kestrel's HTTP; null for nothing.</param>
    internal HttpFront(
        HttpOptions options, OpenFiles files, int longestQuery, IHostLifetime signals, ILoggerFactory loggers, RequestDelegate handle,
        HeapRelief relief, HttpCertificate? certificate = null, FastDoorMiddleware? door = null)
    {
        _options = options;
        _relief = relief;
        _unread = new UnreadMemory(options.UnreadBytes, options.HeaderTimeout, TimeProvider.System, relief,
            loggers.CreateLogger<UnreadMemory>());
        _files = files;
        _door = door;
        _logger = loggers.CreateLogger<HttpFront>();
        AppContext.SetSwitch(OnlyCrlf, true);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.UseSockets(sockets =>
        {
            sockets.UnsafePreferInlineScheduling = options.Sockets == SocketThreads.Inline;
            sockets.MaxReadBufferSize = UnreadTransport.Buffer;
            sockets.MaxWriteBufferSize = UnreadTransport.Buffer;
        });
        builder.WebHost.ConfigureKestrel(kestrel => KestrelSetup.Apply(kestrel, options, longestQuery, certificate, _unread, door));
        var room = new ConnectionRoom(_files.Connections, _connections, loggers.CreateLogger<ConnectionRoom>());
        var kestrelLog = new KestrelLog(loggers, _connections);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(_blocks); // behind Kestrel's own: the last one counts
        builder.Services.AddSingleton<IConnectionListenerFactory>(
            services => new BoundedListenerFactory(room, services.GetRequiredService<IOptions<SocketTransportOptions>>(), kestrelLog));
        builder.Services.AddSingleton<ILoggerFactory>(kestrelLog);
        builder.Services.AddSingleton(signals);
        _app = builder.Build();
        _app.Run(handle);
    }

    /// <summary>Where it listens, once started: as it is bound.</summary>
    internal string Bound { get; private set; } = "";

    /// <summary>Where it listens, once started: as this machine reaches it.</summary>
    internal Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Adds its metrics.</summary>
    internal void Observe(Meter meter)
    {
        _connections.Observe(meter);
        _unread.Observe(meter);
        _blocks.Observe(meter);
        _door?.Observe(meter);
    }

    /// <summary>Starts listening.</summary>
    /// <exception cref="IOException">The address cannot be listened on: its port is taken, or it is not this machine's.</exception>
    internal async Task StartAsync()
    {
        if (_files.Connections < _options.MaxConnections)
        {
            LogFewOpenFiles(
                _logger, _options.MaxConnections, _files.Connections, _files.Limit!.Value, _files.Reserve, _options.MaxConnections
                    + _files.Reserve);
        }

        try
        {
            await _app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            string reason = error.GetBaseException().Message;
            string advice = (error.GetBaseException() as SocketException)?.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "Stop the program that listens there, or name another port, such as 127.0.0.1:8081.",
                SocketError.AccessDenied => "Name a port above 1023, or give the server the right to use this one (CAP_NET_BIND_SERVICE).",
                _ => "Name an address of this machine, or :port for all of them.",
            };
            throw new IOException($"HTTP_ADDR={_options.HttpAddr}: cannot listen there ({reason}). {advice}", error);
        }

        Bound = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Address = new Uri(Bound.Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal));
    }

    /// <summary>Stops listening; connections that are busy may finish within the time.</summary>
    internal async Task StopAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        await _app.StopAsync(limit.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _unread.Dispose();
        _blocks.Dispose();
        _relief.Dispose();
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "MAX_CONNECTIONS={Asked} is lowered to {Connections}: this process may open {Limit} files, and {Reserve} are kept for the "
            + "spool, uploads and the program "
            + "itself. Raise the limit to {Needed} (ulimit -n, LimitNOFILE), or set MAX_CONNECTIONS={Connections}")]
    private static partial void LogFewOpenFiles(ILogger logger, int asked, int connections, long limit, int reserve, int needed);
}
