// The HTTP server's limits. Each is set on purpose: slow, huge, broken or very many clients must not hurt the others.
using System.Net;
using System.Text;
using Estat.Base.Options;
using Estat.Http.Bodies;
using Estat.Http.ClientAddress;
using Estat.Http.FastDoor;
using Estat.Http.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Net.Http.Headers;

namespace Estat.Http.Listening;

/// <summary>Listening address, limits and timeouts. docs/http.md explains them to users.</summary>
internal static class KestrelSetup
{
    // cookies of a large site and forwarding headers fit; 64 KB of them would be 1 GB at 16,384 connections
    private const int MaxHeaderBytes = 16 * 1024;
    private const int MaxHeaders = 64; // browsers send some 20, proxies add some 10
    private const int RequestLineBeyondQuery = 1024; // method, path and version
    private const int MaxStreams = 100; // at once on a connection of HTTP/2: what RFC 9113 would have at the least, and browsers and proxies expect
    private const double SlowestBody = 240; // bytes a second, Kestrel's default; slower ones are answered 408 after the grace
    private static readonly TimeSpan BodyGrace = TimeSpan.FromSeconds(5);

    /// <summary>Sets all of it.</summary>
    /// <param name="kestrel">Where to.</param>
    /// <param name="options">What the operator chose.</param>
    /// <param name="longestQuery">Bytes that a query may have.</param>
    /// <param name="certificate">For TLS; null listens without.</param>
    /// <param name="unread">Where what waits for clients is counted.</param>
    /// <param name="door">What stands before Kestrel's HTTP; null for nothing.</param>
    internal static void Apply(
        KestrelServerOptions kestrel, HttpOptions options, int longestQuery, HttpCertificate? certificate, UnreadMemory unread,
        FastDoorMiddleware? door)
    {
        kestrel.AddServerHeader = false;
        // Header bytes are kept as they are (Latin-1 is one character a byte): a User-Agent or Referer that is no UTF-8 must not cost its event.
        kestrel.RequestHeaderEncodingSelector = static name => name == HeaderNames.ContentLength ? DigitsOnly.Instance : Encoding.Latin1;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxConcurrentConnections = null; // ConnectionRoom knows which one to close
        limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        limits.MaxRequestHeaderCount = MaxHeaders;
        limits.MaxRequestLineSize = longestQuery + RequestLineBeyondQuery;
        limits.MaxRequestBufferSize = Math.Max(1 << 20, limits.MaxRequestLineSize);
        // The endpoints read no more than they may. With a limit of its own Kestrel would reset the connection of a client that is still sending a
        // larger body, and so take the 413 from it; without, it reads on for a few seconds and throws away.
        limits.MaxRequestBodySize = null;
        limits.RequestHeadersTimeout = options.HeaderTimeout;
        limits.KeepAliveTimeout = options.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(SlowestBody, BodyGrace);
        limits.MinResponseDataRate = new MinDataRate(SlowestBody, BodyGrace);
        if (certificate is not null)
        {
            // HTTP/2 has no request line: what may be in it comes as a header, and counts as one.
            limits.MaxRequestHeadersTotalSize = MaxHeaderBytes + limits.MaxRequestLineSize;
            limits.Http2.MaxRequestHeaderFieldSize = Math.Max(MaxHeaderBytes, limits.MaxRequestLineSize);
            limits.Http2.MaxStreamsPerConnection = MaxStreams;
        }

        _ = ListenAddress.TryParse(options.HttpAddr, out ListenAddress address); // the options were checked
        if (address.Address is null)
        {
            kestrel.ListenAnyIP(address.Port, listen => Configure(listen, options, certificate, unread, door));
        }
        else
        {
            kestrel.Listen(new IPEndPoint(address.Address, address.Port), listen => Configure(listen, options, certificate, unread, door));
        }
    }

    private static void Configure(
        ListenOptions listen, HttpOptions options, HttpCertificate? certificate, UnreadMemory unread, FastDoorMiddleware? door)
    {
        listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        if (certificate is not null)
        {
            listen.Use(HandshakeReads.Begin);
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(certificate.Current),
                HandshakeTimeout = options.HeaderTimeout,
            });
            listen.Use(HandshakeReads.End);
        }

        var proxies = new TrustedProxies(options.TrustedProxies);
        listen.Use(next => async connection =>
        {
            bool isShared = connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual("h2"u8) == true;
            using IDisposable unended = UnreadTransport.Wrap(connection, unread, isShared);
            connection.Features.Set(Peer.Of(connection, proxies, isShared));
            await (door is null || isShared ? next(connection) : door.RunAsync(connection, next)).ConfigureAwait(false);
        });
    }
}
