// Readings of single partitions, for people who ask.
using System.Collections.Concurrent;
using Confluent.Kafka;
using Estat.Base.Options;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Log;
using LogMessage = Estat.Topics.Messages.LogMessage;
using TopicPartition = Estat.Topics.Messages.TopicPartition;

namespace Estat.Topics.Kafka.Reading;

/// <summary>A few consumers that belong to no group; who comes when all are in use waits. Any thread.</summary>
/// <param name="clients">Makes them, when they are needed first.</param>
internal sealed class KafkaReaders(KafkaClients clients) : IDisposable
{
    private const int Most = 4;
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Reading = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private readonly SemaphoreSlim _places = new(Most, Most);
    private readonly ConcurrentBag<IConsumer<byte[], byte[]>> _idle = [];

    /// <summary>Reads messages.</summary>
    /// <param name="partition">Which partition.</param>
    /// <param name="offset">From where; from the start when that is behind it.</param>
    /// <param name="mostMessages">At least 1.</param>
    /// <param name="mostBytes">Bytes after which reading ends; one message is always read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal Task<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken) =>
        UseAsync<IReadOnlyList<LogMessage>>(reader => Read(reader, partition, offset, mostMessages, mostBytes, cancellationToken), cancellationToken);

    /// <summary>The end of a partition.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal Task<long> EndOfAsync(TopicPartition partition, CancellationToken cancellationToken) =>
        UseAsync(reader => reader.QueryWatermarkOffsets(Place(partition), Answer).High.Value, cancellationToken);

    /// <summary>The first offset whose time is not before a moment; the end when there is none.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="time">Milliseconds since 1970.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal Task<long> FindAsync(TopicPartition partition, long time, CancellationToken cancellationToken) => UseAsync(
        reader =>
        {
            // The end first: what comes meanwhile has a place behind it.
            long end = reader.QueryWatermarkOffsets(Place(partition), Answer).High.Value;
            TopicPartitionOffset found = reader.OffsetsForTimes(
                [new TopicPartitionTimestamp(Place(partition), new Timestamp(time, TimestampType.CreateTime))], Answer).Single();
            return found.Offset.IsSpecial ? end : found.Offset.Value;
        },
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_idle.TryTake(out IConsumer<byte[], byte[]>? reader))
        {
            reader.Dispose();
        }

        _places.Dispose();
    }

    private static Confluent.Kafka.TopicPartition Place(TopicPartition partition) => new(partition.Topic, partition.Partition);

    private static List<LogMessage> Read(
        IConsumer<byte[], byte[]> reader, TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        WatermarkOffsets bounds = reader.QueryWatermarkOffsets(Place(partition), Answer);
        var messages = new List<LogMessage>();
        if (offset >= bounds.High.Value)
        {
            return messages;
        }

        reader.Assign(new TopicPartitionOffset(Place(partition), Math.Max(offset, bounds.Low.Value)));
        try
        {
            long bytes = 0;
            long until = Environment.TickCount64 + (long)Reading.TotalMilliseconds;
            while (messages.Count < mostMessages)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (reader.Consume(Step) is { } record)
                {
                    if (record.IsPartitionEOF)
                    {
                        break;
                    }

                    LogMessage message = RecordReading.MessageOf(record);
                    bytes += message.Weight;
                    if (messages.Count > 0 && bytes > mostBytes)
                    {
                        break;
                    }

                    messages.Add(message);
                }
                else if (Environment.TickCount64 > until)
                {
                    if (messages.Count > 0)
                    {
                        break;
                    }

                    throw new TopicLogException($"Kafka does not send what is at {partition}@{offset}. Try again.");
                }
            }
        }
        finally
        {
            reader.Unassign();
        }

        return messages;
    }

    private async Task<T> UseAsync<T>(Func<IConsumer<byte[], byte[]>, T> use, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        IConsumer<byte[], byte[]>? reader = null;
        try
        {
            reader = _idle.TryTake(out IConsumer<byte[], byte[]>? idle) ? idle : clients.Reader();
            return await Task.Run(() => use(reader), CancellationToken.None).ConfigureAwait(false);
        }
        catch (KafkaException error)
        {
            throw new TopicLogException($"Kafka at {clients.Servers} cannot be read now: {error.Error.Reason}", error);
        }
        catch (OptionException error) // options were checked at the start: it is something of the node that changed since
        {
            throw new TopicLogException($"Kafka at {clients.Servers} cannot be read now: {error.Message}", error);
        }
        finally
        {
            if (reader is not null)
            {
                _idle.Add(reader);
            }

            _places.Release();
        }
    }
}
