// The options of Topics.
using System.Collections.Immutable;

namespace Estat.Topics.Options;

/// <summary>Where messages wait and are kept.</summary>
public enum LogKind
{
    /// <summary>In a folder, by one node.</summary>
    Embedded,

    /// <summary>In Kafka, by any number of nodes.</summary>
    Kafka,
}

/// <summary>What becomes of the messages behind a dead letter that have its key.</summary>
public enum DeadLetterOrder
{
    /// <summary>They are stored.</summary>
    GoOn,

    /// <summary>They are held behind it until it is replayed or discarded.</summary>
    HoldKey,
}

/// <summary>Units and bounds stand in the option table.</summary>
public sealed record TopicsOptions
{
    /// <summary>Where messages wait and are kept.</summary>
    public LogKind Log { get; init; } = LogKind.Embedded;

    /// <summary>librdkafka's properties by their names there, as KAFKA_* gave them. They hold secrets.</summary>
    public IReadOnlyDictionary<string, string> Kafka { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Copies of topics that this node makes in Kafka; 0: as many as the brokers say.</summary>
    public int Replication { get; init; }

    /// <summary>Folder of the embedded log. One process owns it.</summary>
    public string Dir { get; init; } = "./var/topics";

    /// <summary>Partitions of new topics.</summary>
    public int Partitions { get; init; } = 3;

    /// <summary>Whether producing to an unknown topic makes it.</summary>
    public bool AutoCreate { get; init; }

    /// <summary>Most topics.</summary>
    public int MaxTopics { get; init; } = 1_000;

    /// <summary>How long messages are kept in the log.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(168);

    /// <summary>Bytes of the embedded log at which producers get 503.</summary>
    public long MaxSizeBytes { get; init; } = 10L << 30;

    /// <summary>Bytes after which a segment of the embedded log ends.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>Free bytes of the embedded log's disk below which producers get 503.</summary>
    public long MinFreeBytes { get; init; } = 1L << 30;

    /// <summary>Bytes of messages that may wait for the disk or the broker.</summary>
    public long QueueBytes { get; init; } = 64L << 20;

    /// <summary>Largest body of a produce request, bytes.</summary>
    public int MaxBodySize { get; init; } = 8 << 20;

    /// <summary>Largest message, bytes of key, headers and value.</summary>
    public int MaxMessageBytes { get; init; } = 1 << 20;

    /// <summary>Most messages of one produce request.</summary>
    public int MaxMessages { get; init; } = 10_000;

    /// <summary>How long an <c>Idempotency-Key</c> is remembered.</summary>
    public TimeSpan Dedup { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Most <c>Idempotency-Key</c>s that are remembered.</summary>
    public int DedupMax { get; init; } = 1_000_000;

    /// <summary>Whether this node writes messages to PostgreSQL.</summary>
    public bool Sink { get; init; } = true;

    /// <summary>The sink's name: nodes that share the work have one.</summary>
    public string SinkName { get; init; } = "estat";

    /// <summary>Npgsql's connection string or a <c>postgres://</c> URL; empty: not set.</summary>
    public string Database { get; init; } = "";

    /// <summary>File that holds <see cref="Database"/>; empty: not set.</summary>
    public string DatabaseFile { get; init; } = "";

    /// <summary>Whether the start brings the schema up to date; else it only checks.</summary>
    public bool Migrate { get; init; } = true;

    /// <summary>Most messages of one transaction.</summary>
    public int Batch { get; init; } = 5_000;

    /// <summary>Most bytes of messages in one transaction.</summary>
    public int BatchBytes { get; init; } = 16 << 20;

    /// <summary>How long a sink that takes over waits for the old one's transaction before it ends its session.</summary>
    public TimeSpan Takeover { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What becomes of messages behind a dead letter of their key.</summary>
    public DeadLetterOrder Order { get; init; } = DeadLetterOrder.GoOn;

    /// <summary>How long rows are kept in PostgreSQL, in whole days; zero: for ever.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.Zero;

    /// <summary>Connections for queries.</summary>
    public int QueryConnections { get; init; } = 8;

    /// <summary>Time that a query may take.</summary>
    public TimeSpan QueryTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
