// Every option of a node, with its default. OptionTable binds, checks and documents them; nothing else reads the environment.
using System.Net;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Base.Storage;

namespace Estat.Collect.Options;

/// <summary>What happens to new requests when the DLQ has reached its capacity.</summary>
public enum DlqFullPolicy
{
    /// <summary>New events are answered 503; nothing that was acknowledged is given up.</summary>
    Reject,

    /// <summary>The oldest files are deleted and counted in <c>dlq_events_dropped_total</c>.</summary>
    Evict,
}

/// <summary>A node's options, already checked. Units and bounds stand at each entry of <see cref="OptionTable"/>.</summary>
public sealed record EstatOptions
{
    /// <summary>Where HTTP listens, Go-style: <c>:8080</c> is every interface.</summary>
    public string HttpAddr { get; init; } = ":8080";

    /// <summary>Where objects go, and how.</summary>
    public StorageOptions Storage { get; init; } = new();

    /// <summary>The same, for whoever opens the store: with the longest object that this node makes.</summary>
    public StorageOptions ObjectStorage => Storage with { LongestObject = BatchBytes + MaxBatchBodySize + (256L << 20) };

    /// <summary>The prefixes that keys may not lie below, and the one that they lie below by default.</summary>
    public KeyPrefixes Prefixes => new(RawPrefix, DlqPrefix);

    /// <summary>Ack level of a request that names none.</summary>
    public AckLevel Ack { get; init; } = AckLevel.Disk;

    /// <summary>Levels that a request may name; null is all that the node offers. Holds <see cref="Ack"/>.</summary>
    public IReadOnlyList<AckLevel>? AckAllowed { get; init; }

    /// <summary>Folder of the spool; one process owns it.</summary>
    public string SpoolDir { get; init; } = "./var/spool";

    /// <summary>Whether the spool may be on a file system that forgets, such as tmpfs.</summary>
    public bool SpoolVolatile { get; init; }

    /// <summary>Size of the spool at which new requests are turned away, bytes.</summary>
    public long SpoolMaxSizeBytes { get; init; } = 19_327_352_832;

    /// <summary>Least time between two batches of requests that wait for the store, and the longest that each then waits for its upload.</summary>
    public TimeSpan StoredMaxWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc cref="StorageOptions.RawBucket"/>
    public string? RawBucket
    {
        get => Storage.RawBucket;
        init => Storage = Storage with { RawBucket = value };
    }

    /// <inheritdoc cref="StorageOptions.RawPrefix"/>
    public string RawPrefix
    {
        get => Storage.RawPrefix;
        init => Storage = Storage with { RawPrefix = value };
    }

    /// <inheritdoc cref="StorageOptions.DlqPrefix"/>
    public string DlqPrefix
    {
        get => Storage.DlqPrefix;
        init => Storage = Storage with { DlqPrefix = value };
    }

    /// <inheritdoc cref="StorageOptions.AwsRegion"/>
    public string AwsRegion
    {
        get => Storage.AwsRegion;
        init => Storage = Storage with { AwsRegion = value };
    }

    /// <inheritdoc cref="StorageOptions.S3Endpoint"/>
    public Uri? S3Endpoint
    {
        get => Storage.S3Endpoint;
        init => Storage = Storage with { S3Endpoint = value };
    }

    /// <inheritdoc cref="StorageOptions.S3Timeout"/>
    public TimeSpan S3Timeout
    {
        get => Storage.S3Timeout;
        init => Storage = Storage with { S3Timeout = value };
    }

    /// <inheritdoc cref="StorageOptions.S3Sse"/>
    public string? S3Sse
    {
        get => Storage.S3Sse;
        init => Storage = Storage with { S3Sse = value };
    }

    /// <inheritdoc cref="StorageOptions.S3SseKmsKeyId"/>
    public string? S3SseKmsKeyId
    {
        get => Storage.S3SseKmsKeyId;
        init => Storage = Storage with { S3SseKmsKeyId = value };
    }

    /// <inheritdoc cref="StorageOptions.S3Acl"/>
    public string? S3Acl
    {
        get => Storage.S3Acl;
        init => Storage = Storage with { S3Acl = value };
    }

    /// <inheritdoc cref="StorageOptions.S3StorageClass"/>
    public string? S3StorageClass
    {
        get => Storage.S3StorageClass;
        init => Storage = Storage with { S3StorageClass = value };
    }

    /// <inheritdoc cref="StorageOptions.S3ExpectContinue"/>
    public bool S3ExpectContinue
    {
        get => Storage.S3ExpectContinue;
        init => Storage = Storage with { S3ExpectContinue = value };
    }

    /// <summary>Attempts after the first before a batch goes to the DLQ.</summary>
    public int S3AppRetries { get; init; } = 2;

    /// <inheritdoc cref="StorageOptions.StorageDir"/>
    public string StorageDir
    {
        get => Storage.StorageDir;
        init => Storage = Storage with { StorageDir = value };
    }

    /// <summary>Folder of the DLQ; one process owns it.</summary>
    public string DlqDir { get; init; } = "./var/dlq";

    /// <summary>Age past which a DLQ file raises the alarm. It is still uploaded.</summary>
    public TimeSpan DlqMaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Capacity of the DLQ, bytes of payload files.</summary>
    public long DlqMaxSizeBytes { get; init; } = 19_327_352_832;

    /// <summary>What happens at <see cref="DlqMaxSizeBytes"/>.</summary>
    public DlqFullPolicy DlqFull { get; init; } = DlqFullPolicy.Reject;

    /// <summary>While the spool's disk has less than this free, or the DLQ's while it holds files, new requests are turned away. Bytes.</summary>
    public long DiskMinFreeBytes { get; init; } = 268_435_456;

    /// <summary>Time between two recovery ticks.</summary>
    public TimeSpan RecoveryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Parallel paths through the node, each with one writer.</summary>
    public int Partitions { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Events accepted and not yet compressed, over all partitions; one batch request may overshoot its partition's part.</summary>
    public int ChannelSize { get; init; } = 4000;

    /// <summary>Memory that those events may hold, over all partitions. Bytes.</summary>
    public long ChannelBytes { get; init; } = 33_554_432;

    /// <summary>Events in a batch at most.</summary>
    public int BatchSize { get; init; } = 5000;

    /// <summary>Uncompressed bytes of JSONL in a batch at most (one event, or one chunk of a batch request, may overshoot it).</summary>
    public long BatchBytes { get; init; } = 33_554_432;

    /// <summary>A batch is sealed this long after its first event at the latest.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>gzip level, 1 (fastest) to 9. Why 2: docs/performance.md, "gzip: what a level costs".</summary>
    public int GzipLevel { get; init; } = 2;

    /// <summary>Sealed batches that may wait for an uploader.</summary>
    public int UploadQueue { get; init; } = 4;

    /// <summary>Uploads that run at once.</summary>
    public int UploadConcurrency { get; init; } = 4;

    /// <summary>Largest body of one event, bytes.</summary>
    public int MaxBodySize { get; init; } = 16_384;

    /// <summary>Largest body of <c>/collect/batch</c>, bytes, both as sent and decompressed.</summary>
    public int MaxBatchBodySize { get; init; } = 8_388_608;

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

    /// <summary>Origins that browsers may send from; <c>*</c> is all.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = ["*"];

    /// <summary>Whose forwarding headers are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = DefaultTrustedProxies;

    /// <summary>Whether a line carries the <c>Cookie</c> header.</summary>
    public bool CaptureCookie { get; init; }

    /// <summary>JSON file of write keys, read again when it changes; null has none.</summary>
    public string? WriteKeysFile { get; init; }

    /// <summary>Write keys besides, as <c>WRITE_KEYS</c> lists them; only their hashes are kept.</summary>
    public IReadOnlyList<WriteKey> WriteKeys { get; init; } = [];

    /// <summary>The write keys' part.</summary>
    public WriteKeyOptions Keys => new() { File = WriteKeysFile, Listed = WriteKeys, Prefixes = Prefixes };

    /// <summary>Whether requests without a write key are taken although keys are configured.</summary>
    public bool OpenIngest { get; init; }

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

    /// <summary>Time from the signal to exit.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Least level that is logged: trace, debug, information, warning, error, critical.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>How log entries are written.</summary>
    public LogFormat LogFormat { get; init; } = LogFormat.Auto;

    /// <summary>OTLP receiver for metrics and traces; null sends none.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Which requests are traced.</summary>
    public TracesSampler TracesSampler { get; init; } = TracesSampler.ParentBasedTraceIdRatio;

    /// <summary>Part of the requests that a ratio takes, 0 to 1.</summary>
    public double TracesSamplerRatio { get; init; } = 1.0 / 1024;

    /// <summary>What only a cluster's nodes have; of no meaning to the standalone server.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>Loopback, RFC 1918, carrier-grade NAT, link-local and unique local addresses.</summary>
    public static IReadOnlyList<IPNetwork> DefaultTrustedProxies { get; } =
    [
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("::1/128"), IPNetwork.Parse("fc00::/7"),
        IPNetwork.Parse("fe80::/10"),
    ];
}
