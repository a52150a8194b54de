// KAFKA_*: librdkafka's properties as options of the node.
using System.Collections.Frozen;
using System.Collections.Immutable;
using Estat.Base.Options;

namespace Estat.Topics.Options;

/// <summary>
/// Which may be set. What a promise of Topics hangs on may not. Whether a name exists, and takes the value, librdkafka itself says when the log is
/// opened. Values are never repeated: they may be secrets.
/// </summary>
internal static class KafkaNames
{
    /// <summary>The property that says where Kafka is.</summary>
    internal const string BootstrapServers = "bootstrap.servers";

    /// <summary>What such an option takes, for people.</summary>
    internal const string Takes = "what librdkafka's property of this name takes";

    private const string Prefix = "KAFKA_";
    private const string Acks = "an answer means that every replica in sync has the messages";
    private const string Once = "messages that are sent again must not be there twice, and must keep their order";
    private const string Group = "the group is estat-sink- and TOPICS_SINK_NAME";
    private const string Progress = "PostgreSQL says where the sink goes on";
    private const string Key = "a key must have the partition that other producers give it";
    private const string Shares = "all nodes of a sink must share partitions out alike";
    private const string Room = "TOPICS_QUEUE_BYTES is that bound";
    private const string Client = "the node needs it as it is";

    private static readonly FrozenDictionary<string, string> Fixed = new Dictionary<string, string>
    {
        ["acks"] = Acks,
        ["request.required.acks"] = Acks,
        ["enable.idempotence"] = Once,
        ["enable.gapless.guarantee"] = Once,
        ["transactional.id"] = "the node produces without transactions",
        ["group.id"] = Group,
        ["group.instance.id"] = "a node that ends gives its partitions back at once",
        ["group.protocol"] = Shares,
        ["group.remote.assignor"] = Shares,
        ["partition.assignment.strategy"] = Shares,
        ["enable.auto.commit"] = Progress,
        ["auto.commit.enable"] = Progress,
        ["enable.auto.offset.store"] = Progress,
        ["auto.offset.reset"] = Progress,
        ["offset.store.method"] = Progress,
        ["isolation.level"] = "messages of a transaction that was broken off must not be stored",
        ["partitioner"] = Key,
        ["allow.auto.create.topics"] = "TOPICS_AUTO_CREATE says it",
        ["metadata.broker.list"] = "KAFKA_BOOTSTRAP_SERVERS says it",
        ["queue.buffering.max.messages"] = Room,
        ["queue.buffering.max.kbytes"] = Room,
        ["enable.partition.eof"] = Client,
        ["delivery.report.only.error"] = Client,
        ["test.mock.num.brokers"] = "each client would have brokers of its own",
        ["log.queue"] = Client,
    }.ToFrozenDictionary();

    /// <summary>Sets one.</summary>
    /// <param name="options">The options so far.</param>
    /// <param name="name">KAFKA_…, in upper case.</param>
    /// <param name="text">The value.</param>
    /// <exception cref="OptionException">No property can have the name.</exception>
    internal static TopicsOptions Set(TopicsOptions options, string name, string text)
    {
        if (name.Length == Prefix.Length
            || !name.All(character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character) || character == '_'))
        {
            throw new OptionException($"{name}: must be KAFKA_ and the name of one of librdkafka's properties, with _ for each dot.");
        }

        return options with { Kafka = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, options.Kafka).SetItem(PropertyOf(name), text) };
    }

    /// <summary>Checks what the log in Kafka needs.</summary>
    /// <exception cref="OptionException">An option that cannot be set, or one that is missing.</exception>
    internal static void Check(TopicsOptions options)
    {
        if (!options.Kafka.ContainsKey(BootstrapServers))
        {
            throw new OptionException("KAFKA_BOOTSTRAP_SERVERS: must be set with TOPICS_LOG=kafka, such as broker-1:9092,broker-2:9092.");
        }

        foreach (string property in options.Kafka.Keys)
        {
            if (Fixed.TryGetValue(property, out string? why) || property.StartsWith("dotnet.", StringComparison.Ordinal))
            {
                throw new OptionException($"{OptionOf(property)}: cannot be set: {why ?? Client}.");
            }
        }
    }

    /// <summary>The option of a property.</summary>
    /// <param name="property">librdkafka's name.</param>
    internal static string OptionOf(string property) => Prefix + property.Replace('.', '_').ToUpperInvariant();

    // The one name with an underscore.
    private static string PropertyOf(string name)
    {
        string property = name[Prefix.Length..].Replace('_', '.').ToLowerInvariant();
        return property == "log.level" ? "log_level" : property;
    }
}
