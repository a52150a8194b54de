// Brings messages to the brokers.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Kafka.Producing;

/// <summary>
/// At most TOPICS_QUEUE_BYTES wait for acks; a production that does not fit is refused before any of it is sent. librdkafka's producer cannot go on
/// after some errors (another one took its id, an ack was lost for too long): then it is replaced, and what it had not brought may be there. Any
/// thread.
/// </summary>
internal sealed partial class KafkaProducer : IAsyncDisposable
{
    // What librdkafka keeps of a message besides its bytes, about.
    private const int Overhead = 128;
    private static readonly TimeSpan Flush = TimeSpan.FromSeconds(5);

    private readonly KafkaClients _clients;
    private readonly long _room;
    private readonly ILogger _logger;
    private readonly Lock _renewing = new();
    private readonly ConcurrentDictionary<Delivery, IProducer<byte[], byte[]>> _deliveries = new();
    private volatile IProducer<byte[], byte[]> _producer;
    private volatile string? _fatal;
    private long _waiting;

    /// <param name="clients">Makes producers.</param>
    /// <param name="room">Most bytes that wait.</param>
    /// <param name="logger">Where a replacement is told.</param>
    internal KafkaProducer(KafkaClients clients, long room, ILogger logger)
    {
        (_clients, _room, _logger) = (clients, room, logger);
        _producer = clients.Producer(error => _fatal = error);
    }

    /// <summary>Bytes of messages that wait for acks.</summary>
    internal long Waiting => Volatile.Read(ref _waiting);

    /// <summary>Sends messages, and waits for their acks.</summary>
    /// <param name="production">Messages for one topic.</param>
    internal async Task<Produced> ProduceAsync(Production production)
    {
        RenewIfFatal();
        long bytes = production.Messages.Sum(static message => (long)Overhead + WeightOf(message));
        long before = Interlocked.Add(ref _waiting, bytes) - bytes;
        try
        {
            if (before > 0 && before + bytes > _room)
            {
                return new Produced(ProduceOutcome.Busy, []);
            }

            var delivery = new Delivery(production.Messages.Count);
            IProducer<byte[], byte[]> producer = _producer;
            _deliveries[delivery] = producer;
            try
            {
                return Send(producer, production, delivery) is { } refused ? refused : await delivery.Ended.ConfigureAwait(false);
            }
            finally
            {
                _deliveries.TryRemove(delivery, out _);
            }
        }
        finally
        {
            Interlocked.Add(ref _waiting, -bytes);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Task.Run(() => End(_producer, "the node ends")).ConfigureAwait(false);

    private static int WeightOf(NewMessage message)
    {
        int bytes = (message.Key?.Length ?? 0) + message.Value.Length;
        foreach (MessageHeader header in message.Headers)
        {
            bytes += header.Name.Length + (header.Value?.Length ?? 0);
        }

        return bytes;
    }

    private static Produced? Send(IProducer<byte[], byte[]> producer, Production production, Delivery delivery)
    {
        for (int index = 0; index < production.Messages.Count; index++)
        {
            int number = index;
            try
            {
                producer.Produce(production.Topic, MessageOf(production.Messages[index]), report => delivery.OnReport(number, report));
            }
            catch (Exception error) when (error is KafkaException or ObjectDisposedException)
            {
                if (index == 0)
                {
                    return (error as KafkaException)?.Error.Code == ErrorCode.Local_QueueFull ? new Produced(ProduceOutcome.Busy, [])
                        : new Produced(ProduceOutcome.Failed, [], error.Message);
                }

                delivery.OnUnsent(production.Messages.Count - index, error.Message);
                return null;
            }
        }

        return null;
    }

    private static Message<byte[], byte[]> MessageOf(NewMessage message)
    {
        var sent = new Message<byte[], byte[]> { Key = message.Key is { } key ? BytesOf(key) : null!, Value = BytesOf(message.Value) };
        if (message.Headers.Count > 0)
        {
            sent.Headers = [];
            foreach (MessageHeader header in message.Headers)
            {
                sent.Headers.Add(header.Name, header.Value is { } value ? BytesOf(value) : null);
            }
        }

        return sent;
    }

    // librdkafka makes its own copy at once.
    private static byte[] BytesOf(ReadOnlyMemory<byte> memory) =>
        MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> part) && part.Offset == 0 && part.Count == part.Array!.Length ? part.Array
            : memory.ToArray();

    private void RenewIfFatal()
    {
        if (_fatal is null)
        {
            return;
        }

        lock (_renewing)
        {
            if (_fatal is { } error)
            {
                LogRenewed(_logger, error);
                IProducer<byte[], byte[]> old = _producer;
                _fatal = null;
                _producer = _clients.Producer(found => _fatal = found);
                _ = Task.Run(() => End(old, error));
            }
        }
    }

    private void End(IProducer<byte[], byte[]> producer, string why)
    {
        try
        {
            producer.Flush(Flush);
        }
        catch (KafkaException)
        {
            // It had a fatal error: what it brought is reported, and the rest is abandoned.
        }

        producer.Dispose();
        foreach ((Delivery delivery, IProducer<byte[], byte[]> owner) in _deliveries)
        {
            if (ReferenceEquals(owner, producer))
            {
                delivery.OnAbandoned(why);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Kafka's producer cannot go on, and is replaced: {Error}. Messages that it had in hand may be there")]
    private static partial void LogRenewed(ILogger logger, string error);
}
