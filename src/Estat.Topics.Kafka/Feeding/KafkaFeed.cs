// What the sink reads of Kafka: the partitions that the group gives to this node.
using Confluent.Kafka;
using Estat.Base.Logging;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Kafka.Reading;
using Estat.Topics.Kafka.Survey;
using Estat.Topics.Log;
using Estat.Topics.Options;
using TopicPartition = Estat.Topics.Messages.TopicPartition;

namespace Estat.Topics.Kafka.Feeding;

/// <summary>
/// A thread of its own consumes, and is the only one that uses the consumer. The group only says whose a partition is: it begins at an offset of no
/// meaning, nothing of it is given, and the reader seeks. A partition that goes is held for some seconds until the reader has let go of it, so that a
/// rebalance does not interrupt a transaction; what is fenced by PostgreSQL does not hang on that. Progress in Kafka is only shown to others.
/// </summary>
internal sealed partial class KafkaFeed : ILogFeed
{
    // Not Kafka's own topics, nor those that other programs hide. As KafkaSurvey.IsOthers.
    private const string Topics = "^[^_].*";
    private const int Batches = 2;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SmallStep = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Standing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LettingGo = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(8);

    private readonly KafkaClients _clients;
    private readonly KafkaSurvey _survey;
    private readonly ILogger _logger;
    private readonly HandOver _hand;
    private readonly Dictionary<TopicPartition, long> _unannounced = []; // until a round of the survey has seen them
    private readonly ToldFault _told = new();
    private readonly Task _consuming;
    private bool _isPaused;
    private volatile bool _isEnding;

    /// <summary>Joins the group.</summary>
    /// <param name="clients">Makes the consumer.</param>
    /// <param name="survey">What there is.</param>
    /// <param name="options">How much is read ahead.</param>
    /// <param name="logger">Where faults are told.</param>
    internal KafkaFeed(KafkaClients clients, KafkaSurvey survey, TopicsOptions options, ILogger logger)
    {
        (_clients, _survey, _logger) = (clients, survey, logger);
        _hand = new HandOver((long)Batches * options.BatchBytes, (int)Math.Min(int.MaxValue, (long)Batches * 2 * options.Batch));
        _consuming = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Seek(TopicPartition partition, long offset) => _hand.Seek(partition, offset);

    /// <inheritdoc/>
    public ValueTask<FeedReading> ReadAsync(int mostMessages, int mostBytes, CancellationToken cancellationToken) =>
        _hand.ReadAsync(mostMessages, mostBytes, cancellationToken);

    /// <inheritdoc/>
    public void OnStored(TopicPartition partition, long nextOffset) => _hand.Mark(partition, nextOffset);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _hand.Wake();
        try
        {
            await _consuming.WaitAsync(Leaving).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogNotLeft(_logger, _clients.Group, Leaving.TotalSeconds);
        }
    }

    private static TopicPartition Of(Confluent.Kafka.TopicPartition partition) => new(partition.Topic, partition.Partition.Value);

    private static Confluent.Kafka.TopicPartition Place(TopicPartition partition) => new(partition.Topic, partition.Partition);

    private void Run()
    {
        try
        {
            using IConsumer<byte[], byte[]> consumer = _clients.Member(builder => builder
                .SetPartitionsAssignedHandler(OnAssigned)
                .SetPartitionsRevokedHandler(OnRevoked)
                .SetPartitionsLostHandler((_, partitions) => Forget(partitions)));
            consumer.Subscribe(Topics);
            try
            {
                while (!_isEnding)
                {
                    Work(consumer);
                    ConsumeOnce(consumer);
                }
            }
            finally
            {
                Mark(consumer);
                consumer.Close();
            }
        }
        catch (Exception error)
        {
            _hand.Fail(error);
        }
    }

    // What others asked for since the last time.
    private void Work(IConsumer<byte[], byte[]> consumer)
    {
        Announce();
        if (_hand.HasWork)
        {
            foreach ((TopicPartition partition, long offset) in _hand.Seeks)
            {
                TrySeek(consumer, partition, offset);
            }

            Mark(consumer);
        }

        // A pause throws away what librdkafka has read ahead: not for a reader that only stores a batch.
        if (!_hand.HasRoom && !_isPaused)
        {
            _hand.WaitForRoom(Standing, () => _isEnding);
        }

        bool isFull = !_hand.HasRoom;
        if (isFull || _isPaused)
        {
            // The reader stands: the group must be served all the same. Partitions may have come meanwhile.
            List<Confluent.Kafka.TopicPartition> all = consumer.Assignment;
            if (isFull)
            {
                consumer.Pause(all);
            }
            else
            {
                consumer.Resume(all);
            }

            _isPaused = isFull;
        }
    }

    private void ConsumeOnce(IConsumer<byte[], byte[]> consumer)
    {
        try
        {
            if (consumer.Consume(_unannounced.Count > 0 || _isPaused || _hand.HasWork ? SmallStep : Step) is { } record)
            {
                _hand.Add(RecordReading.MessageOf(record));
                _told.End();
            }
        }
        catch (ConsumeException error) when (error.Error.Code == ErrorCode.Local_AutoOffsetReset)
        {
            // librdkafka is done with the partition then, and takes no seek any more: a new feed begins.
            throw new TopicLogException(WhyNowhere(consumer, error), error);
        }
        catch (KafkaException error) when (!error.Error.IsFatal)
        {
            if (_told.IsNews(error.Error.Code.ToString()))
            {
                LogTrouble(_logger, _clients.Group, error.Error.Reason);
            }

            Thread.Sleep(SmallStep);
        }
    }

    private IEnumerable<TopicPartitionOffset> OnAssigned(IConsumer<byte[], byte[]> consumer, List<Confluent.Kafka.TopicPartition> partitions)
    {
        long round = _survey.Ask();
        foreach (Confluent.Kafka.TopicPartition partition in partitions)
        {
            _unannounced[Of(partition)] = round;
        }

        // One that was paused when it went is still paused when it comes back: all are resumed, or paused, at the next work.
        _isPaused = true;

        bool answers = true;
        var places = new List<TopicPartitionOffset>(partitions.Count);
        foreach (Confluent.Kafka.TopicPartition partition in partitions)
        {
            places.Add(new TopicPartitionOffset(partition, EndOf(consumer, partition, ref answers)));
        }

        return places;
    }

    // Not Offset.End: librdkafka would ask where that is, and go there although it was told to seek meanwhile.
    // Once one does not answer, no other is asked: the group waits for this thread.
    private long EndOf(IConsumer<byte[], byte[]> consumer, Confluent.Kafka.TopicPartition partition, ref bool answers)
    {
        if (_survey.BoundsOf(Of(partition)) is { } bounds)
        {
            return bounds.End;
        }

        try
        {
            return answers ? consumer.QueryWatermarkOffsets(partition, Answer).High.Value : 0;
        }
        catch (KafkaException)
        {
            answers = false;
            return 0; // where nothing was deleted yet it can be sought from there; else the feed fails, and another one asks again
        }
    }

    private void OnRevoked(IConsumer<byte[], byte[]> consumer, List<TopicPartitionOffset> partitions)
    {
        if (Forget(partitions))
        {
            _hand.WaitUntilLetGo(LettingGo, () => _isEnding);
            Mark(consumer);
        }
    }

    private bool Forget(List<TopicPartitionOffset> partitions)
    {
        TopicPartition[] gone = [.. partitions.Select(partition => Of(partition.TopicPartition))];
        foreach (TopicPartition partition in gone)
        {
            _unannounced.Remove(partition);
        }

        return _hand.OnRevoked(gone);
    }

    // Not before their bounds are fresh, and the cluster's id is known: the sink compares both with what it has stored.
    private void Announce()
    {
        if (_unannounced.Count == 0 || _survey.Id is null)
        {
            return;
        }

        TopicPartition[] known = [.. _unannounced.Where(waiting => _survey.Knows(waiting.Key, waiting.Value)).Select(waiting => waiting.Key)];
        foreach (TopicPartition partition in known)
        {
            _unannounced.Remove(partition);
        }

        if (known.Length > 0)
        {
            _hand.OnAssigned(known);
        }
    }

    // Fails until librdkafka itself has begun with the partition.
    private void TrySeek(IConsumer<byte[], byte[]> consumer, TopicPartition partition, long offset)
    {
        // What the log has deleted is not waited for.
        long there = Math.Max(offset, _survey.BoundsOf(partition)?.Start ?? 0);
        try
        {
            consumer.Seek(new TopicPartitionOffset(Place(partition), there));
            _hand.OnSought(partition, offset);
        }
        catch (KafkaException error)
        {
            LogNotSought(_logger, partition, there, error.Error.Reason);
        }
    }

    private string WhyNowhere(IConsumer<byte[], byte[]> consumer, ConsumeException error)
    {
        if (error.ConsumerRecord?.TopicPartition is not { } place)
        {
            return error.Error.Reason;
        }

        string wanted = _hand.WantedOf(Of(place)) is { } offset ? $"{offset} is wanted" : "nothing is wanted yet";
        try
        {
            WatermarkOffsets bounds = consumer.QueryWatermarkOffsets(place, Answer);
            return $"{Of(place)} has messages from {bounds.Low.Value} to {bounds.High.Value}, and {wanted}";
        }
        catch (KafkaException)
        {
            return $"{Of(place)}: {wanted}, and Kafka has nothing there";
        }
    }

    private void Mark(IConsumer<byte[], byte[]> consumer)
    {
        foreach ((TopicPartition partition, long offset) in _hand.TakeMarks())
        {
            try
            {
                consumer.StoreOffset(new TopicPartitionOffset(Place(partition), offset));
            }
            catch (KafkaException)
            {
                // It went meanwhile: its new owner shows its progress.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The group {Group} has trouble, and tries again: {Error}")]
    private static partial void LogTrouble(ILogger logger, string group, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Could not leave the group {Group} within {Seconds} s. Its partitions stay without a sink until "
            + "the session times out")]
    private static partial void LogNotLeft(ILogger logger, string group, double seconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Partition} cannot be sought at {Offset} yet: {Error}")]
    private static partial void LogNotSought(ILogger logger, TopicPartition partition, long offset, string error);
}
