// Makes librdkafka's clients: what the operator set, and what the promises of Topics need.
using Confluent.Kafka;
using Estat.Base.Options;
using Estat.Topics.Options;

namespace Estat.Topics.Kafka.Clients;

/// <summary>
/// Each client has threads of its own, so there are few: one producer, one for looking and administration, some that read, and one for each feed.
/// What clients log goes to Debug: the survey tells once that brokers are away, and once that they are back. Any thread.
/// </summary>
/// <param name="options">Checked options.</param>
/// <param name="logger">Where clients log.</param>
internal sealed partial class KafkaClients(TopicsOptions options, ILogger logger)
{
    // What Kafka adds to a message in a batch of its own, amply.
    private const int Envelope = 16 * 1024;

    // librdkafka's default of message.max.bytes and more; and what its default of receive.message.max.bytes has room for.
    private const int LeastFetch = 1 << 20;
    private const int MostFetch = 90_000_000;

    /// <summary>The group of a sink.</summary>
    internal string Group => "estat-sink-" + options.SinkName;

    /// <summary>Where Kafka is.</summary>
    internal string Servers => options.Kafka[KafkaNames.BootstrapServers];

    /// <summary>Waits for the acks of all replicas in sync; messages that are sent again are there once, and in order.</summary>
    /// <param name="onFatal">Called when this producer cannot go on.</param>
    /// <exception cref="OptionException">A property that does not exist, or a value that it cannot take.</exception>
    internal IProducer<byte[], byte[]> Producer(Action<string> onFatal) => Build(() =>
    {
        var config = new ProducerConfig(Common(new()
        {
            ["linger.ms"] = "1",
            ["delivery.timeout.ms"] = "30000",
            ["message.max.bytes"] = Text(options.MaxMessageBytes + Envelope),
        }))
        {
            Acks = Acks.All,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            // TOPICS_QUEUE_BYTES is kept before: what it lets in must have room here, with all that librdkafka counts besides.
            QueueBufferingMaxMessages = int.MaxValue,
            QueueBufferingMaxKbytes = (int)Math.Min(int.MaxValue, (options.QueueBytes >> 9) + 64 * 1024),
            AllowAutoCreateTopics = false,
        };
        return new ProducerBuilder<byte[], byte[]>(config).SetLogHandler((_, line) => Log(line)).SetErrorHandler((_, error) =>
        {
            if (error.IsFatal)
            {
                onFatal(error.Reason);
            }
        }).Build();
    });

    /// <summary>Looks, and administers.</summary>
    internal IAdminClient Admin() => Build(() => new AdminClientBuilder(Common([])).SetLogHandler((_, line) => Log(line))
        .SetErrorHandler(static (_, _) => { }).Build());

    /// <summary>Reads partitions that it is told to read; member of no group.</summary>
    internal IConsumer<byte[], byte[]> Reader() => Build(() => Builder(new ConsumerConfig(Common(Fetching()))
    {
        GroupId = "estat-readers", // it must have one, and uses it for nothing
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        IsolationLevel = IsolationLevel.ReadCommitted,
        AllowAutoCreateTopics = false,
    }).Build());

    /// <summary>Member of the sink's group.</summary>
    /// <param name="prepare">Adds handlers.</param>
    internal IConsumer<byte[], byte[]> Member(Action<ConsumerBuilder<byte[], byte[]>> prepare) => Build(() =>
    {
        Dictionary<string, string> own = Fetching();
        own["topic.metadata.refresh.interval.ms"] = "5000";
        ConsumerBuilder<byte[], byte[]> builder = Builder(new ConsumerConfig(Common(own))
        {
            GroupId = Group,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            // Only what is stored in PostgreSQL is marked, and a mark is only for others to see.
            EnableAutoCommit = true,
            EnableAutoOffsetStore = false,
            AutoCommitIntervalMs = 1_000,
            EnablePartitionEof = false,
            AutoOffsetReset = AutoOffsetReset.Error,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AllowAutoCreateTopics = false,
        });
        prepare(builder);
        return builder.Build();
    });

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private T Build<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw Wrong(error.Message.ReplaceLineEndings(" ").TrimEnd('.'));
        }
    }

    // librdkafka names the property, and repeats the value, which may be a secret.
    private OptionException Wrong(string told)
    {
        string option = "KAFKA_*";
        foreach ((string property, string value) in options.Kafka.OrderByDescending(pair => pair.Key.Length))
        {
            if (told.Contains(property, StringComparison.Ordinal))
            {
                option = KafkaNames.OptionOf(property);
                told = told.Replace($"\"{value}\"", "…", StringComparison.Ordinal);
                break;
            }
        }

        return new OptionException($"{option}: librdkafka refuses it: {told}.");
    }

    private ConsumerBuilder<byte[], byte[]> Builder(ConsumerConfig config) => new ConsumerBuilder<byte[], byte[]>(config)
        .SetLogHandler((_, line) => Log(line)).SetErrorHandler(static (_, _) => { });

    // Bytes that wait in librdkafka: no more than a batch or so, and always one message.
    private Dictionary<string, string> Fetching()
    {
        int message = options.MaxMessageBytes + Envelope;
        int fetched = Math.Max(Math.Max(options.BatchBytes, message), LeastFetch);
        var own = new Dictionary<string, string>
        {
            ["queued.max.messages.kbytes"] = Text(Math.Min((fetched >> 10) + 1, 2_097_151)),
            ["fetch.max.bytes"] = Text(fetched),
            ["max.partition.fetch.bytes"] = Text(Math.Max(LeastFetch, message)),
        };
        if (fetched > MostFetch)
        {
            own["receive.message.max.bytes"] = Text(fetched + LeastFetch);
        }

        return own;
    }

    private Dictionary<string, string> Common(Dictionary<string, string> own)
    {
        own["client.id"] = "estat";
        own["socket.keepalive.enable"] = "true";
        own["socket.connection.setup.timeout.ms"] = "10000";
        own["reconnect.backoff.max.ms"] = "2000";
        foreach ((string name, string value) in options.Kafka)
        {
            own[name] = value;
        }

        return own;
    }

    private void Log(LogMessage line)
    {
        if (line.Level <= SyslogLevel.Critical)
        {
            LogCritical(logger, line.Facility, line.Message);
        }
        else
        {
            LogDetail(logger, line.Facility, line.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "librdkafka: {Facility}: {Line}")]
    private static partial void LogCritical(ILogger logger, string facility, string line);

    [LoggerMessage(Level = LogLevel.Debug, Message = "librdkafka: {Facility}: {Line}")]
    private static partial void LogDetail(ILogger logger, string facility, string line);
}
