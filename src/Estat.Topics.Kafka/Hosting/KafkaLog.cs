// The log in Kafka: any number of nodes produce to it and read it.
using System.Diagnostics.Metrics;
using Confluent.Kafka;
using Estat.Base.Files;
using Estat.Base.Options;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Kafka.Feeding;
using Estat.Topics.Kafka.Producing;
using Estat.Topics.Kafka.Reading;
using Estat.Topics.Kafka.Survey;
using Estat.Topics.Log;
using Estat.Topics.Options;
using LogMessage = Estat.Topics.Messages.LogMessage;
using TopicPartition = Estat.Topics.Messages.TopicPartition;

namespace Estat.Topics.Kafka.Hosting;

/// <summary>
/// What is asked without waiting is answered from the survey, which is a second old at the most while brokers answer. While they do not, messages are
/// refused before they are sent. docs/topics.md says what the ack means. Any thread.
/// </summary>
internal sealed partial class KafkaLog : ITopicLog
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(3);

    private readonly TopicsOptions _options;
    private readonly KafkaClients _clients;
    private readonly IAdminClient _admin;
    private readonly KafkaSurvey _survey;
    private readonly KafkaProducer _producer;
    private readonly KafkaReaders _readers;
    private readonly KafkaTopics _topics;
    private readonly ILogger _logger;
    private int _isDisposed;

    private KafkaLog(TopicsOptions options, TimeProvider time, string? id, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        _clients = new KafkaClients(options, logger);
        _producer = new KafkaProducer(_clients, options.QueueBytes, logger);
        _admin = _clients.Admin();
        _readers = new KafkaReaders(_clients);
        _survey = new KafkaSurvey(_clients, _admin, id, logger);
        _topics = new KafkaTopics(_admin, _survey, options, time, logger);
    }

    /// <inheritdoc/>
    /// <exception cref="TopicLogException">
    /// No broker has said it yet. The sink does not ask before it has partitions, and it has none before.
    /// </exception>
    public string Id => KnownId ?? throw new TopicLogException($"{Description} has not said yet which cluster it is.");

    /// <inheritdoc/>
    public string? KnownId => _survey.Id is { } id ? "kafka:" + id : null;

    /// <inheritdoc/>
    public string Description => $"Kafka at {_clients.Servers}";

    /// <inheritdoc/>
    public string AckLevel => "kafka";

    /// <inheritdoc/>
    public string? Fault => _survey.Fault;

    /// <inheritdoc/>
    public bool TakesIdempotencyKeys => false;

    /// <inheritdoc/>
    public IStateFiles? State => null;

    /// <inheritdoc/>
    public IReadOnlyList<LogTopic> Topics => [.. _survey.Topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(_topics.Show)];

    /// <summary>Opens the log. Brokers may be away: it begins when they are there.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where everything is told.</param>
    /// <param name="id">What the cluster is called; null: it is asked.</param>
    /// <exception cref="OptionException">A property that does not exist, or a value that it cannot take.</exception>
    internal static KafkaLog Open(TopicsOptions options, TimeProvider time, ILoggerFactory loggers, string? id = null)
    {
        var log = new KafkaLog(options, time, id, loggers.CreateLogger<KafkaLog>());
        // Brokers that are there answer within this time, so that the start says how many topics there are.
        log._survey.LookAsync(FirstLook, CancellationToken.None).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).GetAwaiter().GetResult();
        return log;
    }

    /// <inheritdoc/>
    public LogTopic? FindTopic(string name) => _survey.Topics.TryGetValue(name, out TopicView? topic) ? _topics.Show(topic) : null;

    /// <inheritdoc/>
    public bool HasTopic(string name) => _survey.Topics.ContainsKey(name);

    /// <inheritdoc/>
    public LogPartition? BoundsOf(TopicPartition partition) =>
        _survey.Topics.TryGetValue(partition.Topic, out TopicView? topic) && partition.Partition >= 0 && partition.Partition < topic.Partitions
            ? topic.BoundsOf(partition.Partition) : null;

    /// <inheritdoc/>
    public ValueTask<(LogTopic Topic, bool IsNew)> CreateTopicAsync(string name, int? partitions, CancellationToken cancellationToken) =>
        new(_topics.CreateAsync(name, partitions, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken) =>
        new(_topics.AddPartitionsAsync(name, partitions, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken) =>
        new(_topics.SetRetentionAsync(name, retention, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<Produced> ProduceAsync(Production production, CancellationToken cancellationToken)
    {
        if (production.OnlyRepeats)
        {
            return new Produced(ProduceOutcome.Draining, []);
        }

        if (Fault is { } fault)
        {
            return new Produced(ProduceOutcome.Failed, [], fault);
        }

        if (!_survey.Topics.ContainsKey(production.Topic))
        {
            return new Produced(ProduceOutcome.NoTopic, []);
        }

        Produced produced = await _producer.ProduceAsync(production).ConfigureAwait(false);
        _survey.Extend(produced.Positions);
        return produced;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        CheckExists(partition);
        return await _readers.ReadAsync(partition, offset, mostMessages, mostBytes, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask WaitForAsync(TopicPartition partition, long offset, CancellationToken cancellationToken)
    {
        CheckExists(partition);
        while (true)
        {
            Task grown = _survey.GrownAsync(partition);
            if (CheckExists(partition).EndOf(partition.Partition) > offset)
            {
                return;
            }

            await grown.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> FindOffsetAsync(TopicPartition partition, long time, CancellationToken cancellationToken)
    {
        CheckExists(partition);
        return time == long.MaxValue ? await _readers.EndOfAsync(partition, cancellationToken).ConfigureAwait(false)
            : await _readers.FindAsync(partition, time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Observe(Meter meter)
    {
        meter.CreateObservableGauge("estat_topics_kafka_up", () => Fault is null ? 1 : 0, description: "1 while Kafka's brokers answer");
        meter.CreateObservableGauge(
            "estat_topics_kafka_waiting_bytes", () => _producer.Waiting, "By", "Bytes of messages that wait for Kafka's acks");
    }

    /// <inheritdoc/>
    public ILogFeed OpenFeed() => new KafkaFeed(_clients, _survey, _options, _logger);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        await _topics.DisposeAsync().ConfigureAwait(false);
        await _producer.DisposeAsync().ConfigureAwait(false);
        await _survey.DisposeAsync().ConfigureAwait(false);
        _readers.Dispose();
        _admin.Dispose();
    }

    private TopicView CheckExists(TopicPartition partition) =>
        _survey.Topics.TryGetValue(partition.Topic, out TopicView? topic) && partition.Partition >= 0 && partition.Partition < topic.Partitions
            ? topic
            : throw new TopicLogException($"There is no partition {partition}.");
}
