// The rows of the options of the listener, of requests and of who may ask what.
using System.Globalization;
using System.Net;
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Http.Options.HttpOptions>;

namespace Estat.Http.Options;

/// <summary>The table of <see cref="HttpOptions"/>.</summary>
internal static class HttpOptionTable
{
    private const long Gibibyte = 1L << 30;
    private const string NetworksOrNone = "a comma-separated list of addresses or networks such as 10.0.0.0/8, or none";
    private static readonly HttpOptions Default = new();

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.Text("HTTP_ADDR", Default.HttpAddr, "host:port or :port, such as :8080 or 127.0.0.1:8080",
            "Where HTTP listens; :port is every interface.",
            IsListenAddress, (o, v) => o with { HttpAddr = v }),
        Option.Text("HTTP_TLS_CERT", "", "a PEM file's path",
            "PEM file of the HTTP certificate, followed by those that signed it. It turns on HTTPS, with HTTP/2. The node reads it again when it "
            + "changes.", OptionTexts.IsPath,
            (o, v) => o with { HttpTlsCert = v }),
        Option.Text("HTTP_TLS_KEY", "the same file", "a PEM file's path", "PEM file of the certificate's private key.", OptionTexts.IsPath,
            (o, v) => o with { HttpTlsKey = v }),
        Option.Number("INFLIGHT_BYTES", Default.InflightBytes, 1 << 20, 64 * Gibibyte,
            "Memory that request bodies in progress may hold together. Once half of it is in use, one client address gets a quarter at most.",
            (o, v) => o with { InflightBytes = v }),
        Option.Number("UNREAD_BYTES", Default.UnreadBytes, 1 << 20, 64 * Gibibyte,
            "Memory for answers that clients do not read and requests that they do not finish, together. Beyond it the server closes the connection "
            + "that holds most.",
            (o, v) => o with { UnreadBytes = v }),
        Option.Duration(
            "BODY_TIMEOUT", Default.BodyTimeout, "100ms", "1h", "Time a client may take for a whole body.", (o, v) => o with { BodyTimeout = v }),
        Option.Duration("HEADER_TIMEOUT", Default.HeaderTimeout, "100ms", "1h", "Time a client may take for its headers.",
            (o, v) => o with { HeaderTimeout = v }),
        Option.Duration(
            "KEEPALIVE_TIMEOUT", Default.KeepAliveTimeout, "1s", "1h", "Time that an idle connection stays open. Make it longer than the load "
                + "balancer's own (AWS: 60s).",
            (o, v) => o with { KeepAliveTimeout = v }),
        Option.Number("MAX_CONNECTIONS", Default.MaxConnections, 1, 10_000_000,
            "Most client connections open at once. To accept another, the server closes the one that has been idle for longest.",
            (o, v) => o with { MaxConnections = (int)v }),
        Option.OneOf("SOCKETS", "inline", [("inline", SocketThreads.Inline), ("pool", SocketThreads.Pool)],
            "Which threads handle requests. inline: those that wait for sockets, which costs least. pool: the thread pool, as .NET does by default.",
            (o, v) => o with { Sockets = v }),
        Option.OneOf("HTTP_FAST_DOOR", "true", [("true", true), ("false", false)],
            "Whether the node reads and answers plain POST /collect requests itself. false: Kestrel reads all of them, which costs more.",
            (o, v) => o with { FastDoor = v }),
        Option.List("CORS_ORIGINS", "*", $"* or a comma-separated list of origins {PageOrigins.Takes}", "Origins that browsers may send from.",
            PageOrigins.Parse, (o, v) => o with { CorsOrigins = v }),
        new Option("TRUSTED_PROXIES", "loopback and private ranges", NetworksOrNone,
            "Proxies whose X-Forwarded-For and CloudFront-Viewer-Address headers the node believes.", BindTrustedProxies),
        Option.Fraction("IP_RATE", "", 0.01, 1_000_000, "Events a second from one client address (IPv6: a /64). Above it, requests get 429.",
            (o, v) => o with { IpRate = v }),
        Option.Fraction("IP_BURST", "", 1, 10_000_000, "Events at once from one client address. Without it: two seconds' worth of IP_RATE.",
            (o, v) => o with { IpBurst = v }),
        Option.Text("ADMIN_TOKEN", "", "16 or more characters without spaces",
            "Token that opens /console, /tail, /admin and /orleans. Without it they are open only to this machine.",
            IsAdminToken, (o, v) => o with { AdminToken = v }),
        new Option("ADMIN_TOKEN_FILE", "", "a file with 16 or more characters without spaces; ADMIN_TOKEN must not be set as well",
            "File with the admin token, such as a mounted secret; read at the start.", BindAdminTokenFile),
    ];

    /// <summary>Checks what holds between options.</summary>
    internal static void CheckTogether(HttpOptions options)
    {
        if (options is { HttpTlsKey: { } key, HttpTlsCert: null })
        {
            throw OptionTexts.Wrong("HTTP_TLS_KEY", key, "a PEM file's path together with HTTP_TLS_CERT, which is not set");
        }

        if (options.IpBurst is { } burst && options.IpRate is null)
        {
            throw OptionTexts.Wrong("IP_BURST", burst.ToString(CultureInfo.InvariantCulture), "a number together with IP_RATE, which is not set");
        }
    }

    private static HttpOptions BindTrustedProxies(HttpOptions options, string text)
    {
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            return options with { TrustedProxies = [] };
        }

        var networks = new List<IPNetwork>();
        foreach (string item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            networks.Add(OptionTexts.ParseNetwork(item) ?? throw OptionTexts.Wrong("TRUSTED_PROXIES", text, NetworksOrNone));
        }

        return options with { TrustedProxies = networks };
    }

    // Never with what the file holds: it may be most of a secret.
    private static HttpOptions BindAdminTokenFile(HttpOptions options, string path)
    {
        if (options.AdminToken is not null)
        {
            throw OptionTexts.Wrong("ADMIN_TOKEN_FILE", path, "a file's path, or not set: ADMIN_TOKEN is set as well, and one of them is enough");
        }

        string token;
        try
        {
            token = File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw OptionTexts.Wrong("ADMIN_TOKEN_FILE", path, $"a file that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')})");
        }

        return IsAdminToken(token)
            ? options with { AdminToken = token }
            : throw OptionTexts.Wrong(
                "ADMIN_TOKEN_FILE", path, "a file with a token of 16 or more characters without spaces; this file holds none");
    }

    private static bool IsAdminToken(string text) => text.Length >= 16 && text.All(c => c is > ' ' and < '\x7f');

    private static bool IsListenAddress(string text) => ListenAddress.TryParse(text, out _);
}
