// A log for tests of queries: what a test puts in is there.
using Estat.Base.Files;
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Querying;

/// <summary>In memory.</summary>
internal sealed class StandingLog : ITopicLog
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TopicPartition, List<LogMessage>> _messages = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id => "log";

    public string Description => "memory";

    public string AckLevel => "disk";

    public string? Fault => null;

    public bool TakesIdempotencyKeys => false;

    public IStateFiles? State => null;

    public IReadOnlyList<LogTopic> Topics
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages.Keys.Select(partition => partition.Topic).Distinct().Order(StringComparer.Ordinal).Select(Of)];
            }
        }
    }

    /// <summary>Whether reading fails.</summary>
    internal bool IsBroken { get; set; }

    /// <summary>Ends when readings may; null: at once.</summary>
    internal TaskCompletionSource? Held { get; set; }

    /// <summary>Readings that have begun.</summary>
    internal int Reading;

    /// <summary>Requests that wait.</summary>
    internal int Waiting;

    public LogTopic? FindTopic(string name) => Topics.FirstOrDefault(topic => topic.Name == name);

    /// <summary>Makes a topic.</summary>
    internal void Make(string topic, int partitions)
    {
        lock (_gate)
        {
            for (int i = 0; i < partitions; i++)
            {
                _messages[new TopicPartition(topic, i)] = [];
            }
        }
    }

    /// <summary>Puts a message at a partition's end.</summary>
    internal void Add(string topic, int partition, byte[]? key, byte[]? value, params MessageHeader[] headers)
    {
        TaskCompletionSource more;
        lock (_gate)
        {
            List<LogMessage> messages = _messages[new TopicPartition(topic, partition)];
            messages.Add(new LogMessage(
                new MessagePosition(topic, partition, messages.Count), 1_772_323_200_123 + messages.Count, key is null ? null : key.AsMemory(),
                headers,
                value is null ? null : value.AsMemory()));
            (more, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        more.SetResult();
    }

    public async ValueTask<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Reading);
        await (Held?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
        lock (_gate)
        {
            return IsBroken ? throw new TopicLogException("broken")
                : [.. _messages[partition].Skip((int)offset).Take(mostMessages)];
        }
    }

    public async ValueTask WaitForAsync(TopicPartition partition, long offset, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Waiting);
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_messages[partition].Count > offset)
                {
                    return;
                }

                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public ValueTask<(LogTopic Topic, bool IsNew)> CreateTopicAsync(string name, int? partitions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<Produced> ProduceAsync(Production production, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<long> FindOffsetAsync(TopicPartition partition, long time, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ILogFeed OpenFeed() => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private LogTopic Of(string name) => new(
        name,
        [.. _messages.Where(pair => pair.Key.Topic == name).OrderBy(pair => pair.Key.Partition)
            .Select(pair => new LogPartition(0, pair.Value.Count))],
        1, null, null, []);
}
