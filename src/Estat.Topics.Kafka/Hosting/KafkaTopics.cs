// Kafka's topics: made, given more partitions, kept for longer or shorter.
using System.Collections.Concurrent;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Estat.Base.Logging;
using Estat.Topics.Kafka.Survey;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;

namespace Estat.Topics.Kafka.Hosting;

/// <summary>
/// Brokers do what is asked; an answer waits until the survey has seen it. In the background the topics that are there from the start are made, and
/// it is read how long topics are kept. Where partitions became more, Kafka does not remember: only this process does. Any thread.
/// </summary>
internal sealed partial class KafkaTopics : IAsyncDisposable
{
    private const string RetentionName = "retention.ms";
    private const short BrokersDefault = -1;
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenReadings = TimeSpan.FromMinutes(1);

    // What brokers refuse by their rules and rights, and not because something is away.
    private static readonly ErrorCode[] Forbidden =
    [
        ErrorCode.PolicyViolation, ErrorCode.InvalidPartitions, ErrorCode.InvalidConfig, ErrorCode.InvalidRequest, ErrorCode.TopicException,
        ErrorCode.TopicAuthorizationFailed, ErrorCode.ClusterAuthorizationFailed, ErrorCode.Local_UnsupportedFeature, ErrorCode.UnsupportedVersion,
    ];

    private readonly IAdminClient _admin;
    private readonly KafkaSurvey _survey;
    private readonly TopicsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, TimeSpan> _retentions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<PartitionCut>> _cuts = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ending = new();
    private readonly ToldFault _notMade = new();
    private readonly Task _keeping;

    /// <param name="admin">Whom to ask.</param>
    /// <param name="survey">What there is.</param>
    /// <param name="options">How topics are made.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it tells the operator.</param>
    internal KafkaTopics(IAdminClient admin, KafkaSurvey survey, TopicsOptions options, TimeProvider time, ILogger logger)
    {
        (_admin, _survey, _options, _time, _logger) = (admin, survey, options, time, logger);
        _keeping = Task.Run(KeepAsync);
    }

    /// <summary>As the port shows it.</summary>
    /// <param name="topic">What the survey saw.</param>
    internal LogTopic Show(TopicView topic) => topic.Show(
        _retentions.TryGetValue(topic.Name, out TimeSpan kept) && kept != _options.Retention ? kept : null, _cuts.GetValueOrDefault(topic.Name, []));

    /// <summary>Makes a topic.</summary>
    /// <param name="name">A valid name.</param>
    /// <param name="partitions">At least 1; null: TOPICS_PARTITIONS.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicLogException">It cannot be made now.</exception>
    internal async Task<(LogTopic Topic, bool IsNew)> CreateAsync(string name, int? partitions, CancellationToken cancellationToken)
    {
        if (_survey.Topics.TryGetValue(name, out TopicView? known))
        {
            return (Show(known), false);
        }

        if (KafkaSurvey.IsOthers(name))
        {
            throw new TopicLogException($"{name}: names that begin with _ are for Kafka's own topics and for other programs.", isBound: true);
        }

        if (_survey.Topics.Count >= _options.MaxTopics)
        {
            throw new TopicLogException($"There are {_options.MaxTopics} topics already (TOPICS_MAX_TOPICS).", isBound: true);
        }

        bool isNew = true;
        try
        {
            await AskAsync("made", name, _admin.CreateTopicsAsync(
                [Specification(name, partitions)], new CreateTopicsOptions { RequestTimeout = Answer, OperationTimeout = Answer }), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TopicLogException error) when (error.InnerException is CreateTopicsException refused
            && refused.Results.All(result => result.Error.Code == ErrorCode.TopicAlreadyExists))
        {
            isNew = false;
        }

        return (Show(await UntilAsync(name, static _ => true, cancellationToken).ConfigureAwait(false)), isNew);
    }

    /// <summary>Adds partitions.</summary>
    /// <param name="name">A topic's name.</param>
    /// <param name="partitions">How many there shall be.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicLogException">It cannot be done now.</exception>
    internal async Task<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken)
    {
        TopicView before = Known(name);
        if (partitions <= before.Partitions)
        {
            throw new TopicLogException($"Topic {name} has {before.Partitions} partitions; it can only have more.", isBound: true);
        }

        await AskAsync("given more partitions", name, _admin.CreatePartitionsAsync(
            [new PartitionsSpecification { Topic = name, IncreaseTo = partitions }],
            new CreatePartitionsOptions { RequestTimeout = Answer, OperationTimeout = Answer }), cancellationToken).ConfigureAwait(false);
        TopicView after = await UntilAsync(name, topic => topic.Partitions >= partitions, cancellationToken).ConfigureAwait(false);
        // Other nodes learn of it within seconds: the ends are about where it was.
        var cut = new PartitionCut(_time.GetUtcNow(), after.Partitions, [.. Enumerable.Range(0, before.Partitions).Select(after.EndOf)]);
        _cuts.AddOrUpdate(name, [cut], (_, cuts) => [.. cuts, cut]);
        return Show(after);
    }

    /// <summary>Says how long a topic's messages are kept.</summary>
    /// <param name="name">A topic's name.</param>
    /// <param name="retention">How long; null: TOPICS_RETENTION.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicLogException">It cannot be done now.</exception>
    internal async Task<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken)
    {
        TopicView topic = Known(name);
        TimeSpan kept = retention ?? _options.Retention;
        var entry = new ConfigEntry { Name = RetentionName, Value = Text(kept), IncrementalOperation = AlterConfigOpType.Set };
        await AskAsync("kept for another time", name, _admin.IncrementalAlterConfigsAsync(
            new() { [new ConfigResource { Type = ResourceType.Topic, Name = name }] = [entry] },
            new IncrementalAlterConfigsOptions { RequestTimeout = Answer }), cancellationToken).ConfigureAwait(false);
        _retentions[name] = kept;
        return Show(topic);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private static string Text(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private TopicView Known(string name) =>
        _survey.Topics.TryGetValue(name, out TopicView? topic) ? topic : throw new TopicLogException($"There is no topic {name}.");

    private TopicSpecification Specification(string name, int? partitions) => new()
    {
        Name = name,
        NumPartitions = partitions ?? _options.Partitions,
        ReplicationFactor = _options.Replication == 0 ? BrokersDefault : (short)_options.Replication,
        Configs = new() { [RetentionName] = Text(_options.Retention) },
    };

    private static async Task AskAsync(string what, string name, Task asked, CancellationToken cancellationToken)
    {
        try
        {
            await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (KafkaException error)
        {
            Error why = error switch
            {
                CreateTopicsException { Results: [{ } made, ..] } => made.Error,
                CreatePartitionsException { Results: [{ } grown, ..] } => grown.Error,
                IncrementalAlterConfigsException { Results: [{ } altered, ..] } => altered.Error,
                _ => error.Error,
            };
            bool isBound = Forbidden.Contains(why.Code);
            throw new TopicLogException($"Topic {name} cannot be {what}{(isBound ? "" : " now")}: {why.Reason}", error, isBound);
        }
    }

    private async Task<TopicView> UntilAsync(string name, Func<TopicView, bool> isDone, CancellationToken cancellationToken)
    {
        long until = Environment.TickCount64 + (long)Answer.TotalMilliseconds;
        try
        {
            while (true)
            {
                await _survey.LookAsync(Answer, cancellationToken).ConfigureAwait(false);
                if (_survey.Topics.TryGetValue(name, out TopicView? topic) && isDone(topic))
                {
                    return topic;
                }

                if (Environment.TickCount64 > until)
                {
                    throw new TopicLogException($"Kafka took the change of topic {name}, and does not show it yet. Look again in a moment.");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), _time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (TimeoutException error)
        {
            throw new TopicLogException($"Kafka took the change of topic {name}, and does not answer any more: {error.Message}", error);
        }
    }

    private async Task KeepAsync()
    {
        long nextReading = 0;
        while (!_ending.IsCancellationRequested)
        {
            Task changed = _survey.Changed;
            if (_survey.Fault is not null)
            {
                await changed.WaitAsync(_ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else
            {
                await AddBuiltInAsync().ConfigureAwait(false);
                if (Environment.TickCount64 >= nextReading)
                {
                    nextReading = Environment.TickCount64 + (long)BetweenReadings.TotalMilliseconds;
                    await ReadRetentionsAsync().ConfigureAwait(false);
                }

                await Task.Delay(Interval, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task AddBuiltInAsync()
    {
        foreach (string name in BuiltInTopic.All)
        {
            if (_ending.IsCancellationRequested || _survey.Topics.ContainsKey(name))
            {
                continue;
            }

            try
            {
                await CreateAsync(name, null, _ending.Token).ConfigureAwait(false);
                _notMade.End();
            }
            catch (Exception error) when (error is TopicLogException or OperationCanceledException)
            {
                if (!_ending.IsCancellationRequested && _notMade.IsNews(error.Message))
                {
                    LogNotMade(_logger, error.Message);
                }
            }
        }
    }

    // What brokers do not tell is shown as TOPICS_RETENTION.
    private async Task ReadRetentionsAsync()
    {
        ConfigResource[] resources = [.. _survey.Topics.Keys.Select(name => new ConfigResource { Type = ResourceType.Topic, Name = name })];
        if (resources.Length == 0)
        {
            return;
        }

        try
        {
            foreach (DescribeConfigsResult result in await _admin.DescribeConfigsAsync(
                resources, new DescribeConfigsOptions { RequestTimeout = Answer }).WaitAsync(_ending.Token).ConfigureAwait(false))
            {
                if (result.Entries.TryGetValue(RetentionName, out ConfigEntryResult? entry)
                    && long.TryParse(entry.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long milliseconds))
                {
                    // -1: for ever.
                    _retentions[result.ConfigResource.Name] = milliseconds is < 0 or > long.MaxValue / TimeSpan.TicksPerMillisecond
                        ? TimeSpan.MaxValue
                        : TimeSpan.FromMilliseconds(milliseconds);
                }
            }
        }
        catch (Exception error) when (error is KafkaException or OperationCanceledException)
        {
            LogNoRetention(_logger, error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A topic that shall be there from the start is missing, and is tried again: {Error}")]
    private static partial void LogNotMade(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Kafka does not say how long topics are kept: {Error}")]
    private static partial void LogNoRetention(ILogger logger, string error);
}
