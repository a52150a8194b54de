// The HTTP server's limits. Each is set on purpose: slow, huge, broken or very many clients must not hurt the others.
using System.Net;
using System.Text;
using Estat.Api.ClientAddress;
using Estat.Core.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Estat.Api.Hosting;

/// <summary>Listening address, limits and timeouts. docs/http.md explains them to users.</summary>
internal static class KestrelSetup
{
    private const int MaxHeaderBytes = 16 * 1024; // cookies of a large site and forwarding headers fit; 64 KB of them would be 1 GB at 16,384 connections
    private const int MaxHeaders = 64; // browsers send some 20, proxies add some 10
    private const int RequestLineBeyondQuery = 1024; // method, path and version
    private const double SlowestBody = 240; // bytes a second, Kestrel's default; slower ones are answered 408 after the grace
    private static readonly TimeSpan BodyGrace = TimeSpan.FromSeconds(5);

    internal static void Apply(KestrelServerOptions kestrel, EstatOptions options)
    {
        kestrel.AddServerHeader = false;
        // Header bytes are kept as they are (Latin-1 is one character a byte): a User-Agent or Referer that is no UTF-8 must not cost its event.
        kestrel.RequestHeaderEncodingSelector = static name => name == HeaderNames.ContentLength ? DigitsOnly.Instance : Encoding.Latin1;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        limits.MaxRequestHeaderCount = MaxHeaders;
        limits.MaxRequestLineSize = options.MaxBodySize + RequestLineBeyondQuery; // GET /collect carries an event in its query
        limits.MaxRequestBufferSize = Math.Max(1 << 20, limits.MaxRequestLineSize);
        // The endpoints read no more than they may. With a limit of its own Kestrel would reset the connection of a client that is still sending a
        // larger body, and so take the 413 from it; without, it reads on for a few seconds and throws away.
        limits.MaxRequestBodySize = null;
        limits.RequestHeadersTimeout = options.HeaderTimeout;
        limits.KeepAliveTimeout = options.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(SlowestBody, BodyGrace);
        limits.MinResponseDataRate = new MinDataRate(SlowestBody, BodyGrace);

        _ = ListenAddress.TryParse(options.HttpAddr, out ListenAddress address); // the options were checked
        if (address.Address is null)
        {
            kestrel.ListenAnyIP(address.Port, listen => Configure(listen, options));
        }
        else
        {
            kestrel.Listen(new IPEndPoint(address.Address, address.Port), listen => Configure(listen, options));
        }
    }

    private static void Configure(ListenOptions listen, EstatOptions options)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Features.Set(Peer.Of(connection, options.TrustedProxies));
            return next(connection);
        });
    }
}
