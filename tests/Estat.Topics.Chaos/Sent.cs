// What was sent, and what producers were told of it.
namespace Estat.Topics.Chaos;

/// <summary>What a producer knows of a message.</summary>
internal enum Word : byte
{
    /// <summary>There was no answer, and without an Idempotency-Key it was not sent again: it may be there, once.</summary>
    Perhaps,

    /// <summary>200: it is there, once, at the position told.</summary>
    Told,

    /// <summary>It was refused: it is not there, and never will be.</summary>
    Refused,
}

/// <summary>What has to become of a message.</summary>
internal enum Fate : byte
{
    /// <summary>A row of messages and, where its topic has one, a typed row.</summary>
    Stored,

    /// <summary>A dead letter and no row.</summary>
    Dead,

    /// <summary>A row of messages; the typed row is a dead letter.</summary>
    DeadTyped,
}

/// <summary>One message.</summary>
internal struct SentMessage
{
    internal Word Word;
    internal Fate Fate;
    internal int Partition;
    internal long Offset;
}

/// <summary>The messages of one key, or one producer's messages without a key, by serial number. One producer writes it; it is read when all have
/// ended.</summary>
/// <param name="topic">Their topic.</param>
/// <param name="number">Tells the streams of a topic apart; it is in every value.</param>
/// <param name="key">Their key; null: none, so no order is promised.</param>
internal sealed class MessageStream(string topic, int number, string? key)
{
    private readonly List<SentMessage> _messages = [];

    internal string Topic { get; } = topic;

    internal int Number { get; } = number;

    internal string? Key { get; } = key;

    internal int Count => _messages.Count;

    internal SentMessage this[int serial]
    {
        get => _messages[serial];
        set => _messages[serial] = value;
    }

    /// <summary>One more message.</summary>
    /// <returns>Its serial number.</returns>
    internal int Add(Fate fate)
    {
        _messages.Add(new SentMessage { Fate = fate });
        return _messages.Count - 1;
    }
}

/// <summary>All streams of a run.</summary>
internal sealed class SentMessages
{
    internal const int KeysOfTopic = 200;

    internal static readonly string[] Topics = ["user-activities", "system-metrics", "error-logs", "notifications"];

    private readonly Dictionary<(string Topic, int Number), MessageStream> _streams = [];

    /// <param name="producers">Producer p sends to topic p modulo 4; its keys are nobody else's.</param>
    internal SentMessages(int producers)
    {
        for (int producer = 0; producer < producers; producer++)
        {
            string topic = TopicOf(producer);
            int[] siblings = [.. Enumerable.Range(0, producers).Where(other => TopicOf(other) == topic)];
            for (int key = Array.IndexOf(siblings, producer); key < KeysOfTopic; key += siblings.Length)
            {
                Add(producer, new MessageStream(topic, key, $"key-{key}"));
            }

            Add(producer, new MessageStream(topic, KeysOfTopic + producer, null));
        }
    }

    internal IReadOnlyCollection<MessageStream> Streams => _streams.Values;

    /// <summary>The streams of each producer; its last one is without a key.</summary>
    internal Dictionary<int, List<MessageStream>> Of { get; } = [];

    internal static string TopicOf(int producer) => Topics[producer % Topics.Length];

    internal MessageStream? Find(string topic, int number) => _streams.GetValueOrDefault((topic, number));

    private void Add(int producer, MessageStream stream)
    {
        _streams.Add((stream.Topic, stream.Number), stream);
        if (!Of.TryGetValue(producer, out List<MessageStream>? own))
        {
            Of.Add(producer, own = []);
        }

        own.Add(stream);
    }
}
