// A log in memory, as far as the sink needs one.
using Estat.Base.Files;
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Sink;

/// <summary>Any thread. One feed at a time, unless told otherwise.</summary>
internal sealed class MemoryLog : ITopicLog
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, List<LogMessage>[]> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicPartition, long> _starts = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; set; } = "log-1";

    public string Description => "memory";

    public string AckLevel => "disk";

    public string? Fault => null;

    public bool TakesIdempotencyKeys => false;

    public IStateFiles? State => null;

    public Dictionary<TopicPartition, long> Stored { get; } = [];

    /// <summary>What the feeds' readings fail with; null: they do not.</summary>
    public Exception? FeedFault { get; private set; }

    /// <summary>What readings of single messages wait for; null: nothing.</summary>
    public Task? Gate { get; set; }

    /// <summary>Readings of single messages that have begun.</summary>
    public int Readings { get; private set; }

    /// <summary>Feeds that were opened.</summary>
    public int Feeds { get; private set; }

    public IReadOnlyList<LogTopic> Topics
    {
        get
        {
            lock (_lock)
            {
                return [.. _topics.Keys.Select(name => FindTopic(name)!)];
            }
        }
    }

    /// <summary>The time of the next message: 2026-11-30 12:00 UTC and a millisecond more for each.</summary>
    public long Time { get; set; } = 1_796_040_000_000;

    public LogTopic? FindTopic(string name)
    {
        lock (_lock)
        {
            return _topics.TryGetValue(name, out var partitions)
                ? new(name, [.. partitions.Select((messages, index) => BoundsOf(new(name, index), messages))], 1, null, null, [])
                : null;
        }
    }

    public MemoryLog Topic(string name, int partitions = 1)
    {
        lock (_lock)
        {
            _topics[name] = [.. Enumerable.Range(0, partitions).Select(_ => new List<LogMessage>())];
        }

        return this;
    }

    /// <summary>Appends a message.</summary>
    public MessagePosition Add(
        string topic, string? key, byte[]? value, int partition = 0, long? offset = null,
        IReadOnlyList<MessageHeader>? headers = null, byte[]? rawKey = null)
    {
        lock (_lock)
        {
            var messages = _topics[topic][partition];
            var at = new MessagePosition(topic, partition, offset ?? BoundsOf(new(topic, partition), messages).End);
            var bytes = rawKey ?? (key is null ? null : System.Text.Encoding.UTF8.GetBytes(key));
            messages.Add(new(at, Time++, Memory(bytes), headers ?? [], Memory(value)));
            Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            return at;
        }
    }

    public MessagePosition Add(string topic, string? key, string value, int partition = 0) =>
        Add(topic, key, System.Text.Encoding.UTF8.GetBytes(value), partition);

    /// <summary>Forgets the last messages of a partition, as a log does that was restored from an old copy.</summary>
    public void Cut(string topic, int partition, int left)
    {
        lock (_lock)
        {
            _topics[topic][partition].RemoveRange(left, _topics[topic][partition].Count - left);
        }
    }

    /// <summary>Deletes the first messages of a partition, as when their retention is over.</summary>
    public void Expire(string topic, int partition, long start)
    {
        lock (_lock)
        {
            _topics[topic][partition].RemoveAll(message => message.At.Offset < start);
            _starts[new(topic, partition)] = start;
        }
    }

    public ILogFeed OpenFeed()
    {
        Feeds++;
        return new Feed(this);
    }

    /// <summary>Lets the feeds' readings fail, also those that wait; null: no more.</summary>
    public void Fail(Exception? error)
    {
        FeedFault = error;
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    public ValueTask<long> FindOffsetAsync(TopicPartition partition, long time, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var messages = _topics[partition.Topic][partition.Partition];
            var index = messages.FindIndex(message => message.Time >= time);
            return new(index < 0 ? End(messages) : messages[index].At.Offset);
        }
    }

    public ValueTask<(LogTopic Topic, bool IsNew)> CreateTopicAsync(string name, int? partitions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<Produced> ProduceAsync(Production production, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async ValueTask<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        Readings++;
        if (Gate is { } gate)
        {
            await gate.WaitAsync(cancellationToken);
        }

        lock (_lock)
        {
            return [.. _topics[partition.Topic][partition.Partition].Where(message => message.At.Offset >= offset).Take(mostMessages)];
        }
    }

    public ValueTask WaitForAsync(TopicPartition partition, long offset, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => default;

    // Not by ?: alone: null would become empty bytes.
    private static ReadOnlyMemory<byte>? Memory(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes;

    private LogPartition BoundsOf(TopicPartition partition, List<LogMessage> messages) =>
        new(_starts.GetValueOrDefault(partition), Math.Max(_starts.GetValueOrDefault(partition), End(messages)));

    private static long End(List<LogMessage> messages) => messages.Count == 0 ? 0 : messages[^1].At.Offset + 1;

    private sealed class Feed(MemoryLog log) : ILogFeed
    {
        private readonly Dictionary<TopicPartition, long> _positions = [];
        private readonly HashSet<TopicPartition> _assigned = [];

        public void Seek(TopicPartition partition, long offset) => _positions[partition] = offset;

        public async ValueTask<FeedReading> ReadAsync(int mostMessages, int mostBytes, CancellationToken cancellationToken)
        {
            while (true)
            {
                var changed = log._changed.Task;
                if (log.FeedFault is { } fault)
                {
                    throw fault;
                }

                lock (log._lock)
                {
                    TopicPartition[] added =
                    [
                        .. log._topics.SelectMany(topic => topic.Value.Select((_, index) => new TopicPartition(topic.Key, index)))
                            .Where(partition => _assigned.Add(partition)),
                    ];
                    if (added.Length > 0)
                    {
                        return new([], added, []);
                    }

                    if (Take(mostMessages) is { Count: > 0 } messages)
                    {
                        return new(messages, [], []);
                    }
                }

                await changed.WaitAsync(cancellationToken);
            }
        }

        public void OnStored(TopicPartition partition, long nextOffset)
        {
            lock (log._lock)
            {
                log.Stored[partition] = nextOffset;
            }
        }

        public ValueTask DisposeAsync() => default;

        private List<LogMessage> Take(int most)
        {
            var taken = new List<LogMessage>();
            foreach (var (partition, from) in _positions.ToArray())
            {
                var messages = log._topics[partition.Topic][partition.Partition];
                var index = messages.FindIndex(message => message.At.Offset >= from);
                if (index >= 0)
                {
                    var part = messages.GetRange(index, Math.Min(most - taken.Count, messages.Count - index));
                    taken.AddRange(part);
                    _positions[partition] = part.Count > 0 ? part[^1].At.Offset + 1 : from;
                }
            }

            return taken;
        }
    }
}
