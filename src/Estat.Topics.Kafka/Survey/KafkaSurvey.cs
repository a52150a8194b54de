// What there is in Kafka, looked at again and again, so that nobody else needs to ask.
using System.Collections.Concurrent;
using System.Collections.Frozen;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Estat.Base.Logging;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using TopicPartition = Estat.Topics.Messages.TopicPartition;

namespace Estat.Topics.Kafka.Survey;

/// <summary>
/// A thread of its own asks for topics, partitions and their bounds about once a second; with many partitions less often, as each partition is a
/// question. Readers see what it found last; never IO. That brokers are away is told once, and that they are back. Members are for any thread.
/// </summary>
internal sealed partial class KafkaSurvey : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);

    // Partitions without an answer after which a round ends; the next one begins behind them.
    private const int MostUnanswered = 2;

    private readonly IAdminClient _admin;
    private readonly IConsumer<byte[], byte[]> _reader;
    private readonly string _servers;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _wake = new(false);
    private readonly ToldFault _away = new();
    private readonly ToldFault _unanswered = new();
    private readonly ConcurrentDictionary<TopicPartition, TaskCompletionSource> _grown = new();
    private readonly Task _looking;
    private volatile FrozenDictionary<string, TopicView> _topics = FrozenDictionary<string, TopicView>.Empty;
    private volatile string? _fault;
    private volatile string? _id;
    private volatile bool _isEnding;
    private TaskCompletionSource _changed = NewSignal();
    private long _begun;
    private long _seen;
    private int _first; // of the partitions, the one whose bounds a round asks for first

    /// <summary>Begins.</summary>
    /// <param name="clients">Makes its reader.</param>
    /// <param name="admin">Whom to ask; the caller's.</param>
    /// <param name="id">What the cluster is called; null: it is asked.</param>
    /// <param name="logger">Where transitions are told.</param>
    internal KafkaSurvey(KafkaClients clients, IAdminClient admin, string? id, ILogger logger)
    {
        (_admin, _servers, _id, _logger) = (admin, clients.Servers, id, logger);
        _reader = clients.Reader();
        _fault = $"Kafka at {_servers} has not answered yet";
        _looking = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Why Kafka cannot be used; null while it can.</summary>
    internal string? Fault => _fault;

    /// <summary>The cluster's id; null: no broker has said it yet.</summary>
    internal string? Id => _id;

    /// <summary>The topics, by name. Those whose names begin with _ are Kafka's own or other programs'.</summary>
    internal FrozenDictionary<string, TopicView> Topics => _topics;

    /// <summary>Ends with the next round.</summary>
    internal Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>The last round in which brokers answered.</summary>
    internal long Seen => Volatile.Read(ref _seen);

    /// <summary>Whether a topic with the name is not looked at.</summary>
    internal static bool IsOthers(string name) => name.StartsWith('_') || !TopicName.IsValid(name);

    /// <summary>Asks for a round soon.</summary>
    /// <returns>The number of one that begins after this call; a later one may be the first that gets answers.</returns>
    internal long Ask()
    {
        long next = Volatile.Read(ref _begun) + 1;
        _wake.Set();
        return next;
    }

    /// <summary>Asks for a round, and waits for it.</summary>
    /// <param name="most">How long.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">Brokers do not answer.</exception>
    internal async Task LookAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(most);
        long round = Ask();
        while (true)
        {
            Task changed = Changed;
            if (Seen >= round)
            {
                return;
            }

            await changed.WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (over.IsCancellationRequested)
            {
                throw new TimeoutException(_fault ?? "it takes long");
            }
        }
    }

    /// <summary>Whether the bounds of a partition were seen in a round or later.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="round">From <see cref="Ask"/>.</param>
    internal bool Knows(TopicPartition partition, long round) => _topics.TryGetValue(partition.Topic, out TopicView? topic)
        && partition.Partition < topic.Partitions && topic.RoundOf(partition.Partition) >= round;

    /// <summary>The bounds of a partition, as they were seen last; null: never.</summary>
    /// <param name="partition">Which.</param>
    internal LogPartition? BoundsOf(TopicPartition partition) =>
        Knows(partition, round: 1) ? _topics[partition.Topic].BoundsOf(partition.Partition) : null;

    /// <summary>Ends when the partition has more messages than when this was called, or is another topic's or nobody's now.</summary>
    /// <param name="partition">Which.</param>
    internal Task GrownAsync(TopicPartition partition) => _grown.GetOrAdd(partition, static _ => NewSignal()).Task;

    /// <summary>Messages were acknowledged: their partitions end behind them at least.</summary>
    /// <param name="positions">Where they are; null where that is not known.</param>
    internal void Extend(IReadOnlyList<MessagePosition?> positions)
    {
        foreach (MessagePosition? position in positions)
        {
            if (position is { } at && _topics.TryGetValue(at.Topic, out TopicView? topic) && topic.Extend(at.Partition, at.Offset + 1))
            {
                SignalGrown(at.Of);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _wake.Set();
        await _looking.ConfigureAwait(false);
        _reader.Dispose();
        _wake.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SignalGrown(TopicPartition partition)
    {
        if (_grown.TryRemove(partition, out TaskCompletionSource? grown))
        {
            grown.TrySetResult();
        }
    }

    private void Run()
    {
        while (!_isEnding)
        {
            long round = Interlocked.Increment(ref _begun);
            try
            {
                Look(round);
                Volatile.Write(ref _seen, round);
                _fault = null;
                if (_away.Lasts || round == 1)
                {
                    _away.End();
                    LogBack(_logger, _servers, _topics.Count);
                }
            }
            catch (Exception error)
            {
                string why = (error as KafkaException)?.Error.Reason ?? error.Message;
                _fault = $"Kafka at {_servers} does not answer: {why}";
                if (_away.IsNews())
                {
                    LogAway(_logger, error is KafkaException ? null : error, _servers, why);
                }
            }

            Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();
            _wake.WaitOne(Interval);
        }
    }

    private void Look(long round)
    {
        Metadata found = _admin.GetMetadata(Answer);
        FrozenDictionary<string, TopicView> known = _topics;
        var topics = new Dictionary<string, TopicView>(StringComparer.Ordinal);
        var led = new List<(TopicView Topic, int Partition)>();
        foreach (TopicMetadata topic in found.Topics.Where(topic => !IsOthers(topic.Topic)))
        {
            TopicView? earlier = known.GetValueOrDefault(topic.Topic);
            int replication = topic.Partitions.Count > 0 ? topic.Partitions[0].Replicas.Length : 0;
            if (topic.Partitions.Count == 0
                || (earlier is not null && earlier.Partitions == topic.Partitions.Count && earlier.Replication == replication))
            {
                // One that is being made, or about which there is an error now, stays as it was.
                if (earlier is not null)
                {
                    topics[topic.Topic] = earlier;
                }
            }
            else
            {
                topics[topic.Topic] = new TopicView(topic.Topic, topic.Partitions.Count, replication).With(earlier);
            }

            // Nobody can say the bounds of a partition without a leader.
            led.AddRange(topic.Partitions.Where(partition => partition.Leader >= 0)
                .Select(partition => (topics[topic.Topic], partition.PartitionId)));
        }

        Measure(led, round);
        if (topics.Count != known.Count || topics.Any(topic => !known.TryGetValue(topic.Key, out TopicView? view) || view != topic.Value))
        {
            _topics = topics.ToFrozenDictionary(StringComparer.Ordinal);
            foreach (TopicPartition partition in _grown.Keys)
            {
                SignalGrown(partition); // it may be gone, or have been measured before it was shown
            }
        }

        _id ??= AskForId();
    }

    private void Measure(List<(TopicView Topic, int Partition)> partitions, long round)
    {
        int unanswered = 0;
        int first = _first;
        for (int i = 0; i < partitions.Count && unanswered < MostUnanswered && !_isEnding; i++)
        {
            int at = (first + i) % partitions.Count;
            if (!TryMeasure(partitions[at].Topic, partitions[at].Partition, round))
            {
                unanswered++;
                _first = at + 1;
            }
        }

        if (unanswered == 0)
        {
            _unanswered.End();
        }
    }

    private bool TryMeasure(TopicView topic, int partition, long round)
    {
        long before = topic.EndOf(partition);
        try
        {
            WatermarkOffsets bounds = _reader.QueryWatermarkOffsets(new(topic.Name, partition), Answer);
            if (topic.See(partition, bounds.Low.Value, bounds.High.Value, before, round))
            {
                SignalGrown(new TopicPartition(topic.Name, partition));
            }

            return true;
        }
        catch (KafkaException error)
        {
            if (_unanswered.IsNews())
            {
                LogUnanswered(_logger, topic.Name, partition, error.Error.Reason);
            }

            return false;
        }
    }

    // Brokers before 2.8 cannot say it: then the list of brokers stands for it.
    private string? AskForId()
    {
        try
        {
            return _admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = Answer }).GetAwaiter().GetResult().ClusterId;
        }
        catch (KafkaException error) when (error.Error.Code is ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion)
        {
            return string.Join(',', _servers.Split(',', StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal));
        }
        catch (KafkaException error)
        {
            LogNoId(_logger, error.Error.Reason);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Kafka at {Servers} answers; it has {Topics} topics")]
    private static partial void LogBack(ILogger logger, string servers, int topics);

    [LoggerMessage(Level = LogLevel.Error, Message = "Kafka at {Servers} does not answer: {Error}. Messages get 503 until it does")]
    private static partial void LogAway(ILogger logger, Exception? bug, string servers, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka does not say the bounds of {Topic}/{Partition}: {Error}")]
    private static partial void LogUnanswered(ILogger logger, string topic, int partition, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Kafka does not say the cluster's id yet: {Error}")]
    private static partial void LogNoId(ILogger logger, string error);
}
