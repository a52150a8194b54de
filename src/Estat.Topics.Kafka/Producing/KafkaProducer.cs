// Brings messages to the brokers.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Estat.Base.Logging;
using Estat.Base.Options;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Kafka.Producing;

/// <summary>
/// At most TOPICS_QUEUE_BYTES wait for acks; a production that does not fit is refused before any of it is sent. librdkafka's producer cannot go on
/// after some errors (another one took its id, an ack was lost for too long): then it is replaced, and what it had not brought may be there. While no
/// other one can be made, nothing is taken, and each production tries again. Any thread.
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
    private readonly ToldFault _notRenewed = new();
    private volatile Client _client;
    private long _waiting;

    /// <param name="clients">Makes producers.</param>
    /// <param name="room">Most bytes that wait.</param>
    /// <param name="logger">Where a replacement is told.</param>
    internal KafkaProducer(KafkaClients clients, long room, ILogger logger)
    {
        (_clients, _room, _logger) = (clients, room, logger);
        _client = new Client(clients);
    }

    /// <summary>Bytes of messages that wait for acks.</summary>
    internal long Waiting => Volatile.Read(ref _waiting);

    /// <summary>Sends messages, and waits for their acks.</summary>
    /// <param name="production">Messages for one topic.</param>
    internal async Task<Produced> ProduceAsync(Production production)
    {
        if (RenewIfFatal() is { } fault)
        {
            return new Produced(ProduceOutcome.Failed, [], fault);
        }

        long bytes = production.Messages.Sum(static message => (long)Overhead + WeightOf(message));
        long before = Interlocked.Add(ref _waiting, bytes) - bytes;
        try
        {
            if (before > 0 && before + bytes > _room)
            {
                return new Produced(ProduceOutcome.Busy, []);
            }

            var delivery = new Delivery(production.Messages.Count);
            IProducer<byte[], byte[]> producer = _client.Producer;
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
    public async ValueTask DisposeAsync() => await Task.Run(() => End(_client.Producer, "the node ends")).ConfigureAwait(false);

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

    // Why there is no producer that can go on; null: there is one.
    private string? RenewIfFatal()
    {
        if (_client.Fatal is null)
        {
            return null;
        }

        lock (_renewing)
        {
            Client old = _client;
            if (old.Fatal is not { } error)
            {
                return null;
            }

            try
            {
                _client = new Client(_clients);
            }
            catch (OptionException refused) // such as: a file that an option names is gone, or the process has no descriptor left
            {
                if (_notRenewed.IsNews(refused.Message))
                {
                    LogNotRenewed(_logger, error, refused.Message);
                }

                return $"Kafka's producer cannot be replaced: {refused.Message}";
            }

            _notRenewed.End();
            LogRenewed(_logger, error);
            _ = Task.Run(() => End(old.Producer, error));
            return null;
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
        Message = "Kafka's producer cannot go on: {Error}. No other one can be made either, and it is tried again: {Refused}. Messages get 503")]
    private static partial void LogNotRenewed(ILogger logger, string error, string refused);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Kafka's producer cannot go on, and is replaced: {Error}. Messages that it had in hand may be there")]
    private static partial void LogRenewed(ILogger logger, string error);

    // A producer, and whether it can go on.
    private sealed class Client
    {
        private volatile string? _fatal;

        internal Client(KafkaClients clients) => Producer = clients.Producer(error => _fatal = error);

        internal IProducer<byte[], byte[]> Producer { get; }

        internal string? Fatal => _fatal;
    }
}
