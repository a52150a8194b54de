// The rows of the options of Topics.
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Topics.Options.TopicsOptions>;

namespace Estat.Topics.Options;

/// <summary>The table of <see cref="TopicsOptions"/>.</summary>
internal static class TopicsOptionTable
{
    private const string AddressText = "Npgsql's connection string or a postgres:// URL";
    private static readonly TopicsOptions Default = new();

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.OneOf("TOPICS_LOG", "embedded", [("embedded", LogKind.Embedded), ("kafka", LogKind.Kafka)],
            "Where messages wait and are kept: embedded: in TOPICS_DIR, by this node alone. kafka: in the cluster of KAFKA_BOOTSTRAP_SERVERS, by any "
            + "number of nodes.", (o, v) => o with { Log = v }),
        Option.Family("KAFKA_*", KafkaNames.Takes,
            "librdkafka's properties for TOPICS_LOG=kafka, such as KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL or KAFKA_SASL_PASSWORD: the name "
            + "in upper case, with _ for each dot. docs/topics.md has those that cannot be set.", KafkaNames.Set),
        Option.Number("TOPICS_REPLICATION", Default.Replication, 0, 100,
            "Copies of the topics that this node makes in Kafka; 0: as many as the brokers say.", (o, v) => o with { Replication = (int)v }),
        Option.Text("TOPICS_DIR", Default.Dir, "a folder's path", "Folder of the log: messages wait and are kept in it. One process owns it.",
            OptionTexts.IsPath, (o, v) => o with { Dir = v }),
        Option.Number("TOPICS_PARTITIONS", Default.Partitions, 1, 1_000, "Partitions of new topics.", (o, v) => o with { Partitions = (int)v }),
        Option.OneOf("TOPICS_AUTO_CREATE", "false", [("false", false), ("true", true)],
            "Whether sending messages to an unknown topic makes it; else the answer is 404.", (o, v) => o with { AutoCreate = v }),
        Option.Number("TOPICS_MAX_TOPICS", Default.MaxTopics, 4, 100_000, "Most topics.", (o, v) => o with { MaxTopics = (int)v }),
        Option.Duration("TOPICS_RETENTION", Default.Retention, "1m", "87600h",
            "How long messages are kept in the log; those that the sink has not stored are kept longer.", (o, v) => o with { Retention = v }),
        Option.Number("TOPICS_MAX_SIZE_BYTES", Default.MaxSizeBytes, 1 << 20, long.MaxValue,
            "Bytes of the log at which new messages get 503.", (o, v) => o with { MaxSizeBytes = v }),
        Option.Number("TOPICS_SEGMENT_BYTES", Default.SegmentBytes, 64 << 10, 4L << 30,
            "Bytes of a file of the log; old ones are deleted as a whole.", (o, v) => o with { SegmentBytes = v }),
        Option.Number("TOPICS_MIN_FREE_BYTES", Default.MinFreeBytes, 0, long.MaxValue,
            "While the disk of TOPICS_DIR has less free, new messages get 503.", (o, v) => o with { MinFreeBytes = v }),
        Option.Number("TOPICS_QUEUE_BYTES", Default.QueueBytes, 1 << 20, 64L << 30,
            "Bytes of messages that may wait for the disk. Above it, new messages get 503.", (o, v) => o with { QueueBytes = v }),
        Option.Number("TOPICS_MAX_BODY_SIZE", Default.MaxBodySize, 1_024, 256 << 20, "Largest body of an HTTP request that sends messages, bytes.",
            (o, v) => o with { MaxBodySize = (int)v }),
        Option.Number("TOPICS_MAX_MESSAGE_BYTES", Default.MaxMessageBytes, 64, 64 << 20, "Largest message, bytes of key, headers and value.",
            (o, v) => o with { MaxMessageBytes = (int)v }),
        Option.Number("TOPICS_MAX_MESSAGES", Default.MaxMessages, 1, 1_000_000, "Most messages of one HTTP request.",
            (o, v) => o with { MaxMessages = (int)v }),
        Option.Duration("TOPICS_DEDUP", Default.Dedup, "1s", "24h", "How long an Idempotency-Key is remembered.", (o, v) => o with { Dedup = v }),
        Option.Number("TOPICS_DEDUP_MAX", Default.DedupMax, 1, 100_000_000,
            "Most Idempotency-Keys that are remembered. Above it, HTTP requests with one get 503.", (o, v) => o with { DedupMax = (int)v }),
        Option.OneOf("TOPICS_SINK", "true", [("true", true), ("false", false)],
            "Whether this node writes messages to PostgreSQL. With false, the retention deletes messages that nobody has stored.",
            (o, v) => o with { Sink = v }),
        Option.Text("TOPICS_SINK_NAME", Default.SinkName, "1 to 40 letters, digits, - and _",
            "The sink's name in the database. Another name reads everything once more: rows that are there stay, dead letters come again.",
            IsSinkName, (o, v) => o with { SinkName = v }),
        new("TOPICS_DATABASE", Default.Database, AddressText, "The PostgreSQL (14 or newer) that messages are written to and queries ask.",
            (o, v) => IsAddress(v) ? o with { Database = v } : throw new OptionException($"TOPICS_DATABASE: must be {AddressText}.")),
        Option.Text("TOPICS_DATABASE_FILE", Default.DatabaseFile, "a file's path",
            "File that holds TOPICS_DATABASE, so that no password stands in the environment.",
            OptionTexts.IsPath, (o, v) => o with { DatabaseFile = v }),
        Option.OneOf("TOPICS_MIGRATE", "true", [("true", true), ("false", false)],
            "Whether the start brings the tables up to date. With false it only checks them.", (o, v) => o with { Migrate = v }),
        Option.Number("TOPICS_BATCH", Default.Batch, 1, 100_000, "Most messages of one transaction.", (o, v) => o with { Batch = (int)v }),
        Option.Number("TOPICS_BATCH_BYTES", Default.BatchBytes, 64 << 10, 1 << 30, "Most bytes of messages in one transaction.",
            (o, v) => o with { BatchBytes = (int)v }),
        Option.Duration("TOPICS_TAKEOVER", Default.Takeover, "1s", "10m",
            "How long a sink that takes over waits for the old one's transaction, before it ends its session.", (o, v) => o with { Takeover = v }),
        Option.OneOf("TOPICS_ORDER", "go-on", [("go-on", DeadLetterOrder.GoOn), ("hold-key", DeadLetterOrder.HoldKey)],
            "What becomes of messages behind a dead letter that have its key: go-on: they are stored. hold-key: they are held until it is replayed "
            + "or discarded.", (o, v) => o with { Order = v }),
        Option.Duration("TOPICS_KEEP", Default.Keep, "0s", "87600h",
            "How long rows stay in PostgreSQL, in whole days; older days are dropped. 0s: for ever.", (o, v) => o with { Keep = v }),
        Option.Number("TOPICS_QUERY_CONNECTIONS", Default.QueryConnections, 1, 1_000, "Connections to PostgreSQL for queries.",
            (o, v) => o with { QueryConnections = (int)v }),
        Option.Duration("TOPICS_QUERY_TIMEOUT", Default.QueryTimeout, "100ms", "10m", "Time that a query may take.",
            (o, v) => o with { QueryTimeout = v }),
    ];

    /// <summary>Checks what holds between options.</summary>
    /// <exception cref="OptionException">A value that does not go with another.</exception>
    internal static void CheckTogether(TopicsOptions options)
    {
        if (options.Database.Length > 0 && options.DatabaseFile.Length > 0)
        {
            throw OptionTexts.Wrong("TOPICS_DATABASE_FILE", options.DatabaseFile, "not set together with TOPICS_DATABASE");
        }

        if (options.Sink && options.Database.Length == 0 && options.DatabaseFile.Length == 0)
        {
            throw OptionTexts.Wrong(
                "TOPICS_DATABASE", "", "set: SERVE=topics writes messages to a PostgreSQL. Without one, set TOPICS_SINK=false; messages then stay in "
                + "the log for TOPICS_RETENTION");
        }

        if (options.Log == LogKind.Kafka)
        {
            KafkaNames.Check(options);
        }

        if (options.MaxMessageBytes > options.MaxBodySize)
        {
            throw OptionTexts.Wrong(
                "TOPICS_MAX_MESSAGE_BYTES", options.MaxMessageBytes.ToString(System.Globalization.CultureInfo.InvariantCulture),
                $"at most TOPICS_MAX_BODY_SIZE, which is {options.MaxBodySize}");
        }
    }

    // What has no shape of an address at all; the rest is read at the start. Never repeated: there is a password in it.
    private static bool IsAddress(string text) => text.Contains('=', StringComparison.Ordinal) || text.Contains("://", StringComparison.Ordinal);

    private static bool IsSinkName(string text) =>
        text.Length is > 0 and <= 40 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');
}
