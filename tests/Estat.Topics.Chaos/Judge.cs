// What must hold between what producers were told, what PostgreSQL has and what the log has: docs/topics.md.
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>What is broken: of each kind how often, and the first ones with their positions.</summary>
internal sealed class Complaints
{
    private const int Shown = 5;
    private readonly Dictionary<string, (long Count, List<string> First)> _kinds = [];

    internal IReadOnlyList<string> All => [.. _kinds.Select(kind => kind.Value.Count == 1 ? $"{kind.Key}: {kind.Value.First[0]}"
        : $"{kind.Key}, {kind.Value.Count} times: {string.Join("; ", kind.Value.First)}")];

    internal void Add(string kind, string example)
    {
        (long count, List<string> first) = _kinds.TryGetValue(kind, out (long, List<string>) known) ? known : (0, []);
        if (first.Count < Shown)
        {
            first.Add(example);
        }

        _kinds[kind] = (count + 1, first);
    }
}

/// <summary>Pure: reads nothing, and says what is broken.</summary>
/// <param name="sent">What was sent.</param>
/// <param name="reading">What was found.</param>
/// <param name="complaints">What is broken.</param>
internal sealed class Judge(SentMessages sent, Reading reading, Complaints complaints)
{
    private readonly Dictionary<MessageStream, byte[]> _rows = sent.Streams.ToDictionary(stream => stream, stream => new byte[stream.Count]);
    private readonly Dictionary<MessageStream, byte[]> _letters = sent.Streams.ToDictionary(stream => stream, stream => new byte[stream.Count]);
    private readonly Dictionary<MessageStream, byte[]> _typedLetters = sent.Streams.ToDictionary(stream => stream, stream => new byte[stream.Count]);

    /// <summary>Messages of which nobody knew, and that are there.</summary>
    internal long PerhapsFound { get; private set; }

    internal void Find()
    {
        foreach (string topic in reading.Rows.Keys.Where(topic => !SentMessages.Topics.Contains(topic)))
        {
            complaints.Add("a topic that nobody sent to", topic);
        }

        foreach (string topic in SentMessages.Topics)
        {
            FindInTopic(topic, reading.Rows[topic]);
            FindInLog(topic);
            FindCounts(topic);
        }

        foreach (Letter letter in reading.Letters.Where(letter => letter.Kind != "message"))
        {
            FindTypedLetter(letter);
        }

        foreach (MessageStream stream in sent.Streams)
        {
            FindMissing(stream);
        }

        foreach (string unmatched in reading.Unmatched)
        {
            complaints.Add("messages and typed rows do not match", unmatched);
        }
    }

    private static string At(string topic, int partition, long offset) =>
        string.Create(CultureInfo.InvariantCulture, $"{topic}/{partition}@{offset}");

    private static string Name(MessageStream stream, long serial) =>
        string.Create(CultureInfo.InvariantCulture, $"{stream.Topic} {stream.Key ?? $"without key, {stream.Number}"} number {serial}");

    // Rows and dead letters together are every offset from 0 on, once.
    private void FindInTopic(string topic, List<Found> rows)
    {
        List<(Found Message, bool IsLetter)> all =
        [
            .. rows.Select(row => (row, false)).Concat(reading.Letters.Where(letter => letter.Topic == topic && letter.Kind == "message")
                .Select(letter => (new Found(letter.Partition, letter.Offset, letter.Stream, letter.Serial, null), true)))
                .OrderBy(found => found.Item1.Partition).ThenBy(found => found.Item1.Offset),
        ];
        (int partition, long next) = (-1, 0L);
        var last = new Dictionary<MessageStream, (long Serial, Found At)>();
        foreach ((Found message, bool isLetter) in all)
        {
            if (message.Partition != partition)
            {
                FindEnd(topic, partition, next);
                (partition, next) = (message.Partition, 0);
            }

            if (message.Offset != next)
            {
                complaints.Add(
                    message.Offset < next ? "a position is there twice" : "an offset is missing between messages and dead letters",
                    $"{At(topic, partition, message.Offset)} comes where {next} should");
            }

            next = message.Offset + 1;
            FindMessage(topic, message, isLetter, last);
        }

        FindEnd(topic, partition, next);
    }

    private void FindEnd(string topic, int partition, long next)
    {
        if (partition < 0)
        {
            return;
        }

        long stored = reading.NextOffsets.GetValueOrDefault((topic, partition), -1);
        long end = reading.Bounds[(topic, partition)].End;
        if (stored != next || end != next)
        {
            complaints.Add("ends differ", $"{topic}/{partition}: rows up to {next}, consumer_offsets {stored}, the log {end}");
        }
    }

    private void FindMessage(string topic, Found message, bool isLetter, Dictionary<MessageStream, (long Serial, Found At)> last)
    {
        string at = At(topic, message.Partition, message.Offset);
        if (sent.Find(topic, message.Stream) is not { } stream || message.Serial >= stream.Count || message.Serial < 0)
        {
            complaints.Add("nobody sent this message", $"{at} (stream {message.Stream}, number {message.Serial})");
            return;
        }

        SentMessage known = stream[(int)message.Serial];
        string name = $"{Name(stream, message.Serial)} at {at}";
        if (!isLetter && message.Key != stream.Key)
        {
            complaints.Add("a key was changed", $"{name} has key {message.Key}");
        }

        if (isLetter != (known.Fate == Fate.Dead))
        {
            complaints.Add(isLetter ? "a good message is a dead letter" : "a message is stored that cannot be", name);
        }

        if (known.Word == Word.Refused)
        {
            complaints.Add("a refused message is there", name);
        }
        else if (known.Word == Word.Told && (known.Partition, known.Offset) != (message.Partition, message.Offset))
        {
            complaints.Add("a message is not where its producer was told", $"{name}, told {known.Partition}@{known.Offset}");
        }

        if ((isLetter ? _letters : _rows)[stream][message.Serial]++ > 0)
        {
            complaints.Add("a message is there twice", name);
        }

        if (stream.Key is null)
        {
            return;
        }

        if (last.TryGetValue(stream, out (long Serial, Found At) before))
        {
            if (before.Serial >= message.Serial)
            {
                complaints.Add(
                    "the order of a key is broken",
                    $"{name} comes after number {before.Serial} at {At(topic, before.At.Partition, before.At.Offset)}");
            }

            if (before.At.Partition != message.Partition)
            {
                complaints.Add("a key is in two partitions", $"{name}, and {At(topic, before.At.Partition, before.At.Offset)}");
            }
        }

        last[stream] = (message.Serial, message);
    }

    private void FindTypedLetter(Letter letter)
    {
        string at = At(letter.Topic, letter.Partition, letter.Offset);
        if (letter.Kind != "typed" || sent.Find(letter.Topic, letter.Stream) is not { } stream || letter.Serial >= stream.Count
            || stream[(int)letter.Serial].Fate != Fate.DeadTyped)
        {
            complaints.Add("a dead letter that nothing explains", $"{at}, {letter.Kind}, {letter.Reason}");
        }
        else if (_typedLetters[stream][letter.Serial]++ > 0)
        {
            complaints.Add("a typed dead letter is there twice", $"{Name(stream, letter.Serial)} at {at}");
        }
    }

    private void FindMissing(MessageStream stream)
    {
        for (int serial = 0; serial < stream.Count; serial++)
        {
            SentMessage message = stream[serial];
            int found = _rows[stream][serial] + _letters[stream][serial];
            PerhapsFound += message.Word == Word.Perhaps ? found : 0;
            if (message.Word != Word.Told)
            {
                continue;
            }

            string name = $"{Name(stream, serial)}, told {At(stream.Topic, message.Partition, message.Offset)}";
            if (found == 0)
            {
                complaints.Add("a message is lost", name);
            }
            else if (message.Fate == Fate.DeadTyped && _typedLetters[stream][serial] == 0)
            {
                complaints.Add("a typed row that cannot be stored has no dead letter", name);
            }
        }
    }

    // What the log still has is what PostgreSQL has, from its start to its end.
    private void FindInLog(string topic)
    {
        Dictionary<(int, long), (int Stream, long Serial)> stored = reading.Rows[topic]
            .Select(row => (row.Partition, row.Offset, row.Stream, row.Serial))
            .Concat(reading.Letters.Where(letter => letter.Topic == topic && letter.Kind == "message").Select(
                letter => (letter.Partition, letter.Offset, letter.Stream, letter.Serial)))
            .Where(row => row.Offset >= reading.Bounds[(topic, row.Partition)].Start)
            .GroupBy(row => (row.Partition, row.Offset)).ToDictionary(rows => rows.Key, rows => (rows.First().Stream, rows.First().Serial));
        ILookup<int, Found> log = reading.Log[topic].ToLookup(record => record.Partition);
        for (int partition = 0; partition < Node.Partitions; partition++)
        {
            (long next, long end) = reading.Bounds[(topic, partition)];
            foreach (Found record in log[partition])
            {
                string at = At(topic, record.Partition, record.Offset);
                if (record.Offset != next)
                {
                    complaints.Add("the log has a gap", $"{at} comes where {next} should");
                }

                next = record.Offset + 1;
                if (!stored.TryGetValue((record.Partition, record.Offset), out (int, long) row) || row != (record.Stream, record.Serial))
                {
                    complaints.Add("log and database differ", $"{at}: the log has stream {record.Stream} number {record.Serial}, the database {row}");
                }
            }

            if (next != end)
            {
                complaints.Add("the log ends early", $"{topic}/{partition}: {next} instead of {end}");
            }
        }
    }

    private void FindCounts(string topic)
    {
        (long messages, long typed) = reading.Counts.GetValueOrDefault(topic);
        long rows = reading.Rows[topic].Count;
        long typedRows = reading.Typed.GetValueOrDefault(topic);
        if (messages != rows || typed != typedRows)
        {
            complaints.Add("topic_status is wrong", $"{topic}: {messages} messages and {typed} typed rows, and there are {rows} and {typedRows}");
        }
    }
}
