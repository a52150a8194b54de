// The rows of the options for CLUSTERING=redis, and what holds between them.
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Http.Options.ClusterOptions>;

namespace Estat.Http.Options;

/// <summary>A part of <see cref="ClusterOptionTable"/>.</summary>
internal static class RedisOptionTable
{
    private const string AddressOf = "host:port, such as 127.0.0.1:6379; several, separated by commas";
    private const string PasswordOf = "1 to 512 characters on one line";
    private const string FilePath = "a file's path";
    private const int LongestName = 100;
    private const int LongestPassword = 512;
    private static readonly RedisOptions Default = new();

    /// <summary>Every option, in the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        new Option("REDIS_ENDPOINT", "", AddressOf,
            "Addresses of Redis, for CLUSTERING=redis. Several addresses: a primary and its replicas, or nodes of one Redis Cluster.", BindEndpoints),
        Option.Text("REDIS_USER", "", $"1 to {LongestName} characters without spaces",
            "User of Redis' access control list. Without it: its default user.",
            v => v.Length <= LongestName && v.All(c => c is > ' ' and < '\x7f'), Set<string>((r, v) => r with { User = v })),
        new Option("REDIS_PASSWORD", "", PasswordOf, "That user's password. It appears in no log.", BindPassword),
        Option.Number("REDIS_DATABASE", Default.Database, 0, 9_999, "Number of Redis' database. A Redis Cluster has only 0.",
            Set<long>((r, v) => r with { Database = (int)v })),
        Option.Text("REDIS_KEY_PREFIX", Default.KeyPrefix, $"1 to {LongestName} letters, digits or -_.:/",
            "Keys are <prefix>/<CLUSTER_ID>/members and <prefix>/<CLUSTER_ID>/reminders.",
            v => v.Length <= LongestName && v.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/'),
            Set<string>((r, v) => r with { KeyPrefix = v })),
        Option.OneOf("REDIS_TLS", "false", [("true", true), ("false", false)],
            "TLS to Redis. Its certificate must name the host of REDIS_ENDPOINT.", Set<bool>((r, v) => r with { Tls = v })),
        Option.Text("REDIS_TLS_CA", "the machine's authorities", FilePath, "PEM file of the authority that signed Redis' certificate.",
            OptionTexts.IsPath,
            Set<string>((r, v) => r with { TlsCa = v })),
        Option.Text("REDIS_TLS_CERT", "", FilePath, "PEM file of the certificate that this node shows Redis, if Redis asks for one.",
            OptionTexts.IsPath,
            Set<string>((r, v) => r with { TlsCert = v })),
        Option.Text("REDIS_TLS_KEY", "", FilePath, "PEM file of that certificate's private key.", OptionTexts.IsPath,
            Set<string>((r, v) => r with { TlsKey = v })),
    ];

    /// <summary>Checks what holds between options.</summary>
    internal static void CheckTogether(ClusterOptions cluster)
    {
        RedisOptions redis = cluster.Redis;
        if (cluster.Clustering == ClusteringKind.Redis && redis.Endpoints.Count == 0)
        {
            throw OptionTexts.Wrong("REDIS_ENDPOINT", "", $"{AddressOf}; CLUSTERING=redis needs it");
        }

        // A file that is given and not used would mean a password in plain text.
        if (!redis.Tls && (redis.TlsCa ?? redis.TlsCert ?? redis.TlsKey) is { } unused)
        {
            string name = redis.TlsCa is not null ? "REDIS_TLS_CA" : redis.TlsCert is not null ? "REDIS_TLS_CERT" : "REDIS_TLS_KEY";
            throw OptionTexts.Wrong(name, unused, $"{FilePath} together with REDIS_TLS=true, which is not set");
        }

        if ((redis.TlsCert is null) != (redis.TlsKey is null))
        {
            (string name, string other) = redis.TlsCert is null ? ("REDIS_TLS_CERT", "REDIS_TLS_KEY") : ("REDIS_TLS_KEY", "REDIS_TLS_CERT");
            throw OptionTexts.Wrong(name, "", $"{FilePath}, because {other} is set");
        }
    }

    private static Func<ClusterOptions, T, ClusterOptions> Set<T>(Func<RedisOptions, T, RedisOptions> set) =>
        (cluster, value) => cluster with { Redis = set(cluster.Redis, value) };

    // A URL with a password is a likely mistake: the value is not repeated then.
    private static ClusterOptions BindEndpoints(ClusterOptions cluster, string text)
    {
        string[] items = text.Split(',', StringSplitOptions.TrimEntries);
        if (items.All(IsEndpoint))
        {
            return Set<string[]>((redis, endpoints) => redis with { Endpoints = endpoints })(cluster, items);
        }

        throw text.Contains('@', StringComparison.Ordinal)
            ? new OptionException($"REDIS_ENDPOINT: must be {AddressOf}. User and password go into REDIS_USER and REDIS_PASSWORD.")
            : OptionTexts.Wrong("REDIS_ENDPOINT", text, AddressOf);
    }

    // It is never repeated, whatever is wrong with it.
    private static ClusterOptions BindPassword(ClusterOptions cluster, string text) =>
        text.Length <= LongestPassword && !text.Any(char.IsControl)
            ? Set<string>((redis, password) => redis with { Password = password })(cluster, text)
            : throw new OptionException($"REDIS_PASSWORD: must be {PasswordOf}.");

    private static bool IsEndpoint(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), out ushort port) && port > 0
            && Uri.CheckHostName(text[..colon].Trim('[', ']')) is not UriHostNameType.Unknown
            && (text[..colon].Contains(':', StringComparison.Ordinal) == text.StartsWith('['));
    }

}
