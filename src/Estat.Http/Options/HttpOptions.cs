// The options of the listener, of requests and of who may ask what.
using System.Net;

namespace Estat.Http.Options;

/// <summary>Already checked. Units and bounds stand at each entry of <see cref="HttpOptionTable"/>.</summary>
public sealed record HttpOptions
{
    /// <summary>Where HTTP listens, Go-style: <c>:8080</c> is every interface.</summary>
    public string HttpAddr { get; init; } = ":8080";

    /// <summary>
    /// Memory that request bodies in progress may hold together, bytes. Once half of it is in use, one client address gets a quarter at most.
    /// </summary>
    public long InflightBytes { get; init; } = 67_108_864;

    /// <summary>Memory that answers which clients do not read, and requests that they leave unfinished, may hold together.</summary>
    public long UnreadBytes { get; init; } = 33_554_432;

    /// <summary>Time a client may take for a whole body.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time a client may take for its headers.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time an idle keep-alive connection is kept. Above the 60 s of AWS' load balancers, so that they close first.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Client connections open at once. Beyond it the one that has been idle for longest is closed for a new one.</summary>
    public int MaxConnections { get; init; } = 16_384;

    /// <summary>Which threads handle requests.</summary>
    public SocketThreads Sockets { get; init; } = SocketThreads.Inline;

    /// <summary>Whether plain requests are read and answered before Kestrel's HTTP.</summary>
    public bool FastDoor { get; init; } = true;

    /// <summary>Origins that browsers may send from; <c>*</c> is all.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = ["*"];

    /// <summary>Whose forwarding headers are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = DefaultTrustedProxies;

    /// <summary>Events a second from one client address; null is any number.</summary>
    public double? IpRate { get; init; }

    /// <summary>Events at once from one client address; null is two seconds' worth.</summary>
    public double? IpBurst { get; init; }

    /// <summary>What opens the operator's pages (console, tail, DLQ, dashboard); null is loopback only.</summary>
    public string? AdminToken { get; init; }

    /// <summary>PEM file of HTTP's certificate and those that signed it; null is HTTP without TLS.</summary>
    public string? HttpTlsCert { get; init; }

    /// <summary>PEM file of its private key; null: it is in the same file.</summary>
    public string? HttpTlsKey { get; init; }

    /// <summary>Loopback, RFC 1918, carrier-grade NAT, link-local and unique local addresses.</summary>
    public static IReadOnlyList<IPNetwork> DefaultTrustedProxies { get; } =
    [
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("::1/128"), IPNetwork.Parse("fc00::/7"),
        IPNetwork.Parse("fe80::/10"),
    ];
}
