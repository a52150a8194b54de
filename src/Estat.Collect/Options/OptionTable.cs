// The table of all options: bound, checked and documented (--help, README) from this one place.
using System.Globalization;
using System.Net;
using System.Text;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Microsoft.Extensions.Configuration;

namespace Estat.Collect.Options;

/// <summary>Binds <see cref="EstatOptions"/> from <c>--KEY=value</c>, then the environment (with what <c>.env</c> adds to it), then
/// <c>appsettings.json</c>; the first that names a key wins.</summary>
public static class OptionTable
{
    private const long Gibibyte = 1L << 30;
    private const string LevelsWithAck = "a comma-separated list of memory, disk and stored that holds the level of ACK";
    private const string ReplicaNeedsCluster = "(replica needs a cluster: start Estat.Silo)";
    private const string NetworksOrNone = "a comma-separated list of addresses or networks such as 10.0.0.0/8, or none";
    private const string WriteKeyList = "a comma-separated list of name=key, or name=SHA-256 of the key in hex";
    private static readonly EstatOptions Default = new();

    /// <summary>Every option of the standalone server, in the order in which help and README list them.</summary>
    public static IReadOnlyList<OptionSpec> All { get; } =
    [
        OptionSpec.Text("HTTP_ADDR", Default.HttpAddr, "host:port or :port, such as :8080 or 127.0.0.1:8080",
            "Where HTTP listens; :port is every interface.",
            IsListenAddress, (o, v) => o with { HttpAddr = v }),
        OptionSpec.Text("HTTP_TLS_CERT", "", "a PEM file's path",
            "PEM file of HTTP's certificate, and of those that signed it: HTTPS, with HTTP/2. Read again when it changes.", IsPath,
            (o, v) => o with { HttpTlsCert = v }),
        OptionSpec.Text("HTTP_TLS_KEY", "the same file", "a PEM file's path", "PEM file of the certificate's private key.", IsPath,
        (o, v) => o with { HttpTlsKey = v }),
        OfAck(AckLevels.OfOneNode, "What a 2xx means: memory survives a drain, disk a power cut, stored the loss of the node."),
        new OptionSpec("ACK_ALLOWED", "all that the node offers", LevelsWithAck,
            "Levels that a request may ask for by X-Estat-Ack.", BindAckAllowed),
        OptionSpec.Text("RAW_BUCKET", "", BucketName.Takes, "Bucket for objects, or the ARN of an access point. Without it they go to STORAGE_DIR.",
            BucketName.IsValid, (o, v) => o with { RawBucket = v }),
        OptionSpec.Text("RAW_PREFIX", Default.RawPrefix, KeyPrefix.Takes, "Key prefix of objects.",
            KeyPrefix.IsValid, (o, v) => o with { RawPrefix = v }),
        OptionSpec.Text("DLQ_PREFIX", Default.DlqPrefix, KeyPrefix.Takes,
            "Quarantine: key prefix for what cannot be read as gzip JSONL.", KeyPrefix.IsValid, (o, v) => o with { DlqPrefix = v }),
        OptionSpec.Text("AWS_REGION", Default.AwsRegion, "a region's name", "Region of the bucket. Credentials come from AWS' usual chain.",
            v => v.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'), (o, v) => o with { AwsRegion = v }),
        OptionSpec.Url("S3_ENDPOINT", "URL of an S3-compatible store (path style). Without it: AWS.", (o, v) => o with { S3Endpoint = v }),
        OptionSpec.Duration("S3_TIMEOUT", Default.S3Timeout, "100ms", "5m", "Time that one S3 request may take.", (o, v) => o with { S3Timeout = v }),
        .. PutOptionTable.All,
        OptionSpec.Number("S3_APP_RETRIES", Default.S3AppRetries, 0, 10, "Attempts after the first before a batch goes to the DLQ.",
            (o, v) => o with { S3AppRetries = (int)v }),
        OptionSpec.Text("STORAGE_DIR", Default.StorageDir, "a folder's path",
            "Folder for objects when no bucket is named, laid out as the bucket would be.",
            IsPath, (o, v) => o with { StorageDir = v }),
        OptionSpec.Text("SPOOL_DIR", Default.SpoolDir, "a folder's path", "Folder of the spool: open and sealed batches. One process owns it.",
            IsPath, (o, v) => o with { SpoolDir = v }),
        OptionSpec.OneOf("SPOOL_VOLATILE", "false", [("true", true), ("false", false)],
            "Whether SPOOL_DIR may be on a file system that forgets (tmpfs).", (o, v) => o with { SpoolVolatile = v }),
        OptionSpec.Number(
            "SPOOL_MAX_SIZE_BYTES", Default.SpoolMaxSizeBytes, 1 << 20, long.MaxValue, "Size of the spool at which new requests get 503.",
            (o, v) => o with { SpoolMaxSizeBytes = v }),
        OptionSpec.Duration("STORED_MAX_WAIT", Default.StoredMaxWait, "10ms", "1m",
            "Least time between batches of ACK=stored; an upload that takes longer is answered 202, disk.", (o, v) => o with { StoredMaxWait = v }),
        OptionSpec.Text("DLQ_DIR", Default.DlqDir, "a folder's path", "Folder for batches whose upload failed. One process owns it.",
            IsPath, (o, v) => o with { DlqDir = v }),
        OptionSpec.Duration("DLQ_MAX_AGE", Default.DlqMaxAge, "1s", "8760h", "Age past which a DLQ file raises the alarm; it is still uploaded.",
            (o, v) => o with { DlqMaxAge = v }),
        OptionSpec.Number("DLQ_MAX_SIZE_BYTES", Default.DlqMaxSizeBytes, 1, long.MaxValue, "Capacity of the DLQ.",
        (o, v) => o with { DlqMaxSizeBytes = v }),
        OptionSpec.OneOf("DLQ_FULL", "reject", [("reject", DlqFullPolicy.Reject), ("evict", DlqFullPolicy.Evict)],
            "At capacity: reject answers 503 to new requests, evict deletes the oldest files and counts them.", (o, v) => o with { DlqFull = v }),
        OptionSpec.Number("DISK_MIN_FREE_BYTES", Default.DiskMinFreeBytes, 0, long.MaxValue,
            "While the spool's disk (or the DLQ's, if it holds files) has less free, new requests get 503.",
            (o, v) => o with { DiskMinFreeBytes = v }),
        OptionSpec.Duration("RECOVERY_INTERVAL", Default.RecoveryInterval, "10ms", "1h", "Time between two recovery ticks.",
            (o, v) => o with { RecoveryInterval = v }),
        OptionSpec.Number("PARTITIONS", Default.Partitions, 1, 64, "Parallel paths through the node, each with one writer.",
            (o, v) => o with { Partitions = (int)v }, "one per core, at most 8"),
        OptionSpec.Number("CHANNEL_SIZE", Default.ChannelSize, 1, 10_000_000, "Events accepted but not yet in a batch; past it the answer is 503.",
            (o, v) => o with { ChannelSize = (int)v }),
        OptionSpec.Number("CHANNEL_BYTES", Default.ChannelBytes, 1 << 20, 64 * Gibibyte, "Memory that those events may hold.",
        (o, v) => o with { ChannelBytes = v }),
        OptionSpec.Number("BATCH_SIZE", Default.BatchSize, 1, 10_000_000, "A batch is sealed at this many events.",
        (o, v) => o with { BatchSize = (int)v }),
        OptionSpec.Number("BATCH_BYTES", Default.BatchBytes, 1024, 2 * Gibibyte, "A batch is sealed at this many bytes of uncompressed JSONL.",
            (o, v) => o with { BatchBytes = v }),
        OptionSpec.Duration("FLUSH_INTERVAL", Default.FlushInterval, "10ms", "24h", "A batch is sealed this long after its first event.",
        (o, v) => o with { FlushInterval = v }),
        OptionSpec.Number("GZIP_LEVEL", Default.GzipLevel, 1, 9, "gzip level: 1 is fastest, 6 smallest; docs/performance.md says what each costs.",
            (o, v) => o with { GzipLevel = (int)v }),
        OptionSpec.Number("UPLOAD_QUEUE", Default.UploadQueue, 1, 10_000, "Sealed batches that may wait for an upload.",
        (o, v) => o with { UploadQueue = (int)v }),
        OptionSpec.Number("UPLOAD_CONCURRENCY", Default.UploadConcurrency, 1, 256, "Uploads that run at once.",
        (o, v) => o with { UploadConcurrency = (int)v }),
        OptionSpec.Number("MAX_BODY_SIZE", Default.MaxBodySize, 1, 16 << 20, "Largest event, bytes.", (o, v) => o with { MaxBodySize = (int)v }),
        OptionSpec.Number("MAX_BATCH_BODY_SIZE", Default.MaxBatchBodySize, 1, 1 << 30,
            "Largest body of /collect/batch, bytes, as sent and decompressed.",
            (o, v) => o with { MaxBatchBodySize = (int)v }),
        OptionSpec.Number("INFLIGHT_BYTES", Default.InflightBytes, 1 << 20, 64 * Gibibyte,
            "Memory that request bodies in progress may hold together. Once half of it is in use, one client address gets a quarter at most.",
            (o, v) => o with { InflightBytes = v }),
        OptionSpec.Number("UNREAD_BYTES", Default.UnreadBytes, 1 << 20, 64 * Gibibyte,
            "Memory for answers that clients do not read and requests that they do not finish, together. Beyond it the connection that holds "
            + "most is closed.",
            (o, v) => o with { UnreadBytes = v }),
        OptionSpec.Duration(
            "BODY_TIMEOUT", Default.BodyTimeout, "100ms", "1h", "Time a client may take for a whole body.", (o, v) => o with { BodyTimeout = v }),
        OptionSpec.Duration("HEADER_TIMEOUT", Default.HeaderTimeout, "100ms", "1h", "Time a client may take for its headers.",
        (o, v) => o with { HeaderTimeout = v }),
        OptionSpec.Duration(
            "KEEPALIVE_TIMEOUT", Default.KeepAliveTimeout, "1s", "1h", "Time an idle connection is kept; above a load balancer's own (AWS: 60s).",
            (o, v) => o with { KeepAliveTimeout = v }),
        OptionSpec.Number("MAX_CONNECTIONS", Default.MaxConnections, 1, 10_000_000,
            "Client connections open at once. Beyond it the one that has been idle for longest is closed for a new one.",
            (o, v) => o with { MaxConnections = (int)v }),
        OptionSpec.OneOf("SOCKETS", "inline", [("inline", SocketThreads.Inline), ("pool", SocketThreads.Pool)],
            "Who handles requests: inline, the threads that wait for sockets, which costs least; pool, the thread pool, as .NET does by itself.",
            (o, v) => o with { Sockets = v }),
        OptionSpec.List("CORS_ORIGINS", "*", $"* or a comma-separated list of origins {PageOrigins.Takes}", "Origins that browsers may send from.",
            PageOrigins.Parse, (o, v) => o with { CorsOrigins = v }),
        new OptionSpec("TRUSTED_PROXIES", "loopback and private ranges", NetworksOrNone,
            "Whose X-Forwarded-For and CloudFront-Viewer-Address are believed.", BindTrustedProxies),
        OptionSpec.OneOf("CAPTURE_COOKIE", "false", [("true", true), ("false", false)], "Whether a line carries the Cookie header.",
            (o, v) => o with { CaptureCookie = v }),
        OptionSpec.Text("WRITE_KEYS_FILE", "", "a file's path; docs/keys.md shows what it holds",
            "JSON file of write keys with their limits, read again when it changes. Without any key everybody who reaches HTTP_ADDR may send.",
            IsPath, (o, v) => o with { WriteKeysFile = v }),
        new OptionSpec("WRITE_KEYS", "", WriteKeyList, "A few write keys besides, without limits of their own.", BindWriteKeys),
        OptionSpec.OneOf("OPEN_INGEST", "false", [("true", true), ("false", false)],
            "Whether requests without a write key are taken although there are keys. A wrong one never is.",
            (o, v) => o with { OpenIngest = v }),
        OptionSpec.Fraction("IP_RATE", "", 0.01, 1_000_000, "Events a second from one client address (IPv6: a /64); past it the answer is 429.",
            (o, v) => o with { IpRate = v }),
        OptionSpec.Fraction("IP_BURST", "", 1, 10_000_000, "Events at once from one client address. Without it: two seconds' worth of IP_RATE.",
            (o, v) => o with { IpBurst = v }),
        OptionSpec.Text("ADMIN_TOKEN", "", "16 or more characters without spaces",
            "Opens /console, /tail, /admin and /orleans, to whoever shows it. Without it they answer to this machine only.",
            IsAdminToken, (o, v) => o with { AdminToken = v }),
        new OptionSpec("ADMIN_TOKEN_FILE", "", "a file that holds what ADMIN_TOKEN takes, and no ADMIN_TOKEN beside it",
            "File with the admin token, such as a mounted secret; read at the start.", BindAdminTokenFile),
        OptionSpec.Duration("SHUTDOWN_TIMEOUT", Default.ShutdownTimeout, "1s", "1h", "Time from SIGTERM to exit (Fargate gives 30s).",
            (o, v) => o with { ShutdownTimeout = v }),
        OptionSpec.OneOf("LOG_LEVEL", Default.LogLevel,
            [.. new[] { "trace", "debug", "information", "warning", "error", "critical" }.Select(level => (level, level))],
            "Least level that is logged.", (o, v) => o with { LogLevel = v }),
        OptionSpec.OneOf("LOG_FORMAT", "auto", [("auto", LogFormat.Auto), ("json", LogFormat.Json), ("text", LogFormat.Text)],
            "How entries are written: auto is text to a terminal and a JSON object a line to anything else.", (o, v) => o with { LogFormat = v }),
        OptionSpec.Url("OTEL_EXPORTER_OTLP_ENDPOINT", "Sends metrics and traces there by OTLP; OpenTelemetry's other OTEL_ variables hold too.",
            (o, v) => o with { OtlpEndpoint = v }),
        OptionSpec.OneOf("OTEL_TRACES_SAMPLER", "parentbased_traceidratio",
            [
                ("always_on", TracesSampler.AlwaysOn), ("always_off", TracesSampler.AlwaysOff), ("traceidratio", TracesSampler.TraceIdRatio),
                ("parentbased_always_on", TracesSampler.ParentBasedAlwaysOn), ("parentbased_always_off", TracesSampler.ParentBasedAlwaysOff),
                ("parentbased_traceidratio", TracesSampler.ParentBasedTraceIdRatio),
            ],
            "Which requests are traced; a client's traceparent is honoured by those that begin with parentbased.",
            (o, v) => o with { TracesSampler = v }),
        OptionSpec.Fraction("OTEL_TRACES_SAMPLER_ARG", "0.0009765625", 0, 1, "The part of requests that a ratio takes; the default is one in 1024.",
            (o, v) => o with { TracesSamplerRatio = v }),
    ];

    /// <summary>Every option of a cluster's node: those of the standalone server, of which ACK takes more, and its own.</summary>
    public static IReadOnlyList<OptionSpec> OfCluster { get; } =
    [
        .. All.Select(option => option.Name == "ACK"
            ? OfAck(AckLevels.All, "What a 2xx means: memory survives a drain, disk a power cut, replica and stored the loss of the node.") : option),
        .. ClusterOptionTable.All,
    ];

    /// <summary>Binds and checks all options.</summary>
    /// <param name="args">The command line: <c>--KEY=value</c> or <c>--KEY value</c>.</param>
    /// <param name="environment">Normally the process' environment.</param>
    /// <param name="settingsFile">Path of a JSON file with the same keys at its top level; need not exist.</param>
    /// <exception cref="OptionException">A key that does not exist, or a value that its option cannot take.</exception>
    public static EstatOptions Bind(string[] args, IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile) =>
        Bind(All, args, environment, settingsFile);

    /// <summary>The same for a cluster's node.</summary>
    /// <inheritdoc cref="Bind(string[], IEnumerable{KeyValuePair{string, string?}}, string)"/>
    public static EstatOptions BindCluster(string[] args, IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile)
    {
        EstatOptions options = Bind(OfCluster, args, environment, settingsFile);
        ClusterOptionTable.CheckTogether(options);
        return options;
    }

    private static EstatOptions Bind(
        IReadOnlyList<OptionSpec> specs, string[] args, IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile)
    {
        CheckArguments(specs, args);
        IConfigurationRoot configuration;
        try
        {
            configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(settingsFile), optional: true, reloadOnChange: false)
                // Only what is an option: an environment may hold names that differ in case alone (http_proxy and HTTP_PROXY), configuration may not.
                .AddInMemoryCollection(
                    environment.Where(pair => specs.Any(option => option.Name == pair.Key) && !string.IsNullOrWhiteSpace(pair.Value)))
                .AddCommandLine(args)
                .Build();
        }
        catch (InvalidDataException error)
        {
            throw new OptionException($"{settingsFile}: not readable as JSON ({error.GetBaseException().Message.TrimEnd('.')}).");
        }

        RefuseUnknown(settingsFile);
        var options = new EstatOptions();
        foreach (OptionSpec option in specs)
        {
            string? text = configuration[option.Name]?.Trim();
            if (!string.IsNullOrEmpty(text))
            {
                options = option.Apply(options, text);
            }
        }

        if (specs == All)
        {
            RefuseReplica(options);
        }

        return CheckTogether(options);
    }

    /// <summary>The text of <c>--help</c>, without the usage line.</summary>
    /// <param name="specs">The program's options: <see cref="All"/> or <see cref="OfCluster"/>.</param>
    public static string Help(IReadOnlyList<OptionSpec> specs)
    {
        ArgumentNullException.ThrowIfNull(specs);
        var text = new StringBuilder();
        foreach (OptionSpec option in specs)
        {
            text.Append("  ").AppendLine(option.Name);
            text.Append("      ").AppendLine(option.Purpose);
            text.Append("      takes ").Append(option.Takes);
            text.AppendLine(option.Default.Length == 0 ? "; not set by default" : $"; default {option.Default}");
        }

        return text.ToString();
    }

    private static EstatOptions CheckTogether(EstatOptions options)
    {
        if (options is { HttpTlsKey: { } key, HttpTlsCert: null })
        {
            throw OptionSpec.Wrong("HTTP_TLS_KEY", key, "a PEM file's path beside HTTP_TLS_CERT, which is not set");
        }

        PutOptionTable.CheckTogether(options);
        if (options.MaxBatchBodySize < options.MaxBodySize)
        {
            throw OptionSpec.Wrong("MAX_BATCH_BODY_SIZE", $"{options.MaxBatchBodySize}", $"at least MAX_BODY_SIZE ({options.MaxBodySize})");
        }

        if (KeyPrefix.IsWithin(options.DlqPrefix, options.RawPrefix))
        {
            throw OptionSpec.Wrong(
                "DLQ_PREFIX", options.DlqPrefix, "a prefix outside RAW_PREFIX, so that readers of objects never meet what is unreadable");
        }

        if (options.IpBurst is { } burst && options.IpRate is null)
        {
            throw OptionSpec.Wrong("IP_BURST", burst.ToString(CultureInfo.InvariantCulture), "a number beside IP_RATE, which is not set");
        }

        if (options.AckAllowed is { } allowed && !allowed.Contains(options.Ack))
        {
            throw OptionSpec.Wrong(
                "ACK_ALLOWED", string.Join(',', allowed.Select(level => level.ToText())), $"{LevelsWithAck} ({options.Ack.ToText()})");
        }

        if (Path.GetFullPath(options.SpoolDir) == Path.GetFullPath(options.DlqDir))
        {
            throw OptionSpec.Wrong("SPOOL_DIR", options.SpoolDir, "a folder other than DLQ_DIR");
        }

        return options;
    }

    private static OptionSpec OfAck(IReadOnlyList<AckLevel> levels, string purpose)
    {
        OptionSpec spec = OptionSpec.OneOf(
            "ACK", Default.Ack.ToText(), [.. levels.Select(level => (level.ToText(), level))], purpose, (o, v) => o with { Ack = v });
        return levels.Contains(AckLevel.Replica) ? spec : spec with
        {
            Apply = (options, text) => AckLevels.Parse(text) == AckLevel.Replica
                ? throw OptionSpec.Wrong("ACK", text, $"{spec.Takes} {ReplicaNeedsCluster}")
                : spec.Apply(options, text),
        };
    }

    private static void RefuseReplica(EstatOptions options)
    {
        if (options.AckAllowed?.Contains(AckLevel.Replica) == true)
        {
            throw OptionSpec.Wrong(
                "ACK_ALLOWED", string.Join(',', options.AckAllowed.Select(level => level.ToText())), $"{LevelsWithAck} {ReplicaNeedsCluster}");
        }
    }

    private static void CheckArguments(IReadOnlyList<OptionSpec> specs, string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string argument = args[i];
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string key = (equals < 0 ? argument : argument[..equals]).TrimStart('-');
            if (!argument.StartsWith("--", StringComparison.Ordinal)
                || !specs.Any(option => option.Name.Equals(key, StringComparison.OrdinalIgnoreCase)))
            {
                throw new OptionException($"{argument}: no such option; they are written --KEY=value. --help lists them.");
            }

            if (equals < 0 && (++i >= args.Length || args[i].StartsWith("--", StringComparison.Ordinal)))
            {
                throw new OptionException($"{argument}: has no value; write {argument}=value.");
            }
        }
    }

    // A name that is misspelt would otherwise be an option that nobody set. Those of a cluster's node may stand there for the standalone server too:
    // one file may serve both.
    private static void RefuseUnknown(string settingsFile)
    {
        string path = Path.GetFullPath(settingsFile);
        if (!File.Exists(path))
        {
            return;
        }

        foreach (IConfigurationSection section in new ConfigurationBuilder().AddJsonFile(path, optional: true, reloadOnChange: false).Build()
            .GetChildren())
        {
            if (!OfCluster.Any(option => option.Name.Equals(section.Key, StringComparison.OrdinalIgnoreCase)))
            {
                throw new OptionException($"{settingsFile}: {section.Key}: no such option. --help lists them.");
            }
        }
    }

    private static EstatOptions BindAckAllowed(EstatOptions options, string text) => options with
    {
        AckAllowed = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(item => AckLevels.Parse(item) ?? throw OptionSpec.Wrong("ACK_ALLOWED", text, LevelsWithAck)).Distinct().Order()],
    };

    // Whatever is wrong with it, it is not repeated: it holds keys.
    private static EstatOptions BindWriteKeys(EstatOptions options, string text)
    {
        try
        {
            return options with { WriteKeys = WriteKeyFile.ParseList(text) };
        }
        catch (WriteKeyException error)
        {
            throw new OptionException($"WRITE_KEYS: takes {WriteKeyList}: {error.Message}.");
        }
    }

    private static EstatOptions BindTrustedProxies(EstatOptions options, string text)
    {
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            return options with { TrustedProxies = [] };
        }

        var networks = new List<IPNetwork>();
        foreach (string item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            networks.Add(OptionSpec.ParseNetwork(item) ?? throw OptionSpec.Wrong("TRUSTED_PROXIES", text, NetworksOrNone));
        }

        return options with { TrustedProxies = networks };
    }

    // Never with what the file holds: it may be most of a secret.
    private static EstatOptions BindAdminTokenFile(EstatOptions options, string path)
    {
        if (options.AdminToken is not null)
        {
            throw OptionSpec.Wrong("ADMIN_TOKEN_FILE", path, "a file's path, or nothing: ADMIN_TOKEN is set as well, and one of them is enough");
        }

        string token;
        try
        {
            token = File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw OptionSpec.Wrong("ADMIN_TOKEN_FILE", path, $"a file that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')})");
        }

        return IsAdminToken(token)
            ? options with { AdminToken = token }
            : throw OptionSpec.Wrong(
                "ADMIN_TOKEN_FILE", path, "a file with 16 or more characters without spaces, as ADMIN_TOKEN; what this one holds is none");
    }

    private static bool IsAdminToken(string text) => text.Length >= 16 && text.All(c => c is > ' ' and < '\x7f');

    private static bool IsPath(string text) => text.IndexOf('\0', StringComparison.Ordinal) < 0;

    private static bool IsListenAddress(string text) => ListenAddress.TryParse(text, out _);
}
