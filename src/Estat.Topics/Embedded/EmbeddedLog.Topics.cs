// The embedded log's topics: made, given more partitions, kept for longer or shorter.
using Estat.Base.Journal;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <content>Changes are durable before anybody sees them.</content>
internal sealed partial class EmbeddedLog
{
    /// <summary>Most partitions of a topic.</summary>
    internal const int MostPartitions = 1_000;

    private const int MostPartitionsOfAll = 100_000;
    private const int MostCuts = 100;

    /// <inheritdoc/>
    public async ValueTask<(LogTopic Topic, bool IsNew)> CreateTopicAsync(string name, int? partitions, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_table.Find(name) is { } known)
            {
                return (Show(known), false);
            }

            if (_table.Topics.Count >= _options.MaxTopics)
            {
                throw new TopicLogException($"There are {_options.MaxTopics} topics already (TOPICS_MAX_TOPICS).", isBound: true);
            }

            if (WhyNotNow() is { } refused)
            {
                throw new TopicLogException(refused.Detail ?? $"The log in {Description} takes nothing now.");
            }

            ThrowIfTooMany(partitions ?? _options.Partitions);
            TopicEntry topic = Make(name, partitions ?? _options.Partitions, _table.Count);
            Change(_file with { Topics = [.. _file.Topics, topic] });
            return (Show(topic), true);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<LogTopic> AddPartitionsAsync(string name, int partitions, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            TopicEntry topic = Known(name);
            int before = topic.Ordinals.Count;
            if (partitions <= before || partitions > MostPartitions)
            {
                throw new TopicLogException($"Topic {name} has {before} partitions; it can have more, up to {MostPartitions}.");
            }

            ThrowIfTooMany(partitions - before);
            if (topic.Cuts.Count >= MostCuts)
            {
                throw new TopicLogException(
                    $"Topic {name} was given more partitions {MostCuts} times. It keeps those that it has.", isBound: true);
            }

            TopicEntry grown = topic with
            {
                Ordinals = [.. topic.Ordinals, .. Enumerable.Range(_table.Count, partitions - before)],
                Cuts = [.. topic.Cuts, new PartitionCut(_time.GetUtcNow(), partitions, [.. topic.Ordinals.Select(_state.Numbers.EndOf)])],
            };

            // The offsets now are a guess, should the node end before a mark in the journal has the exact ones: productions are under way.
            Task<long[]> marking = Task.FromResult(Array.Empty<long>());
            Change(With(grown), () => marking = MarkAsync([.. topic.Ordinals]));
            long[] ends;
            try
            {
                ends = await marking.ConfigureAwait(false);
            }
            catch (TopicLogException error)
            {
                LogCutGuessed(_logger, name, error.Message);
                return Show(grown); // it has them
            }

            grown = grown with { Cuts = [.. topic.Cuts, grown.Cuts[^1] with { Offsets = ends }] };
            Change(With(grown));
            return Show(grown);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<LogTopic> SetRetentionAsync(string name, TimeSpan? retention, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            TopicEntry changed = Known(name) with { Retention = retention };
            Change(With(changed));
            return Show(changed);
        }
        finally
        {
            _changing.Release();
        }
    }

    // The keeper has it too, and may wait for a disk that hangs.
    private async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (!await _changing.WaitAsync(2 * Hung, cancellationToken).ConfigureAwait(false))
        {
            throw new TopicLogException($"The disk of {Description} does not answer. Try again later.");
        }
    }

    private void ThrowIfTooMany(int more)
    {
        if (_table.Count + more > MostPartitionsOfAll)
        {
            throw new TopicLogException($"All topics together may have {MostPartitionsOfAll} partitions.", isBound: true);
        }
    }

    private TopicEntry Known(string name) => _table.Find(name) ?? throw new TopicLogException($"There is no topic {name}.");

    private TopicFile With(TopicEntry changed) =>
        _file with { Topics = [.. _file.Topics.Select(topic => topic.Name == changed.Name ? changed : topic)] };

    private TopicEntry Make(string name, int partitions, int ordinal) =>
        new(name, [.. Enumerable.Range(ordinal, partitions)], _time.GetUtcNow(), null, []);

    // From the start, or once somebody turned the option on.
    private void AddBuiltIn()
    {
        List<TopicEntry> topics = [.. _file.Topics];
        int count = _table.Count;
        foreach (string name in BuiltInTopic.All.Where(name => _table.Find(name) is null))
        {
            topics.Add(Make(name, _options.Partitions, count));
            count += _options.Partitions;
        }

        if (topics.Count > _file.Topics.Count || !_file.IsBegun)
        {
            // From now on an empty journal is one that was lost, so there is something in it first.
            MarkAsync([]).GetAwaiter().GetResult();
            Change(_file with { Topics = topics, IsBegun = true });
        }
    }

    // The first production by the new table comes behind whatever is appended at the switch.
    private void Change(TopicFile file, Action? atSwitch = null)
    {
        try
        {
            _folder.WriteTopics(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TopicLogException($"topics.json in {Description} cannot be written: {error.Message}", error);
        }

        bool isSame = ReferenceEquals(file.Topics, _file.Topics);
        _file = file;
        if (isSame)
        {
            return; // producers and the feed have nothing to look at
        }

        var table = new TopicTable(file.Topics);
        TaskCompletionSource changed;
        lock (_appending)
        {
            _table = table;
            atSwitch?.Invoke();
            changed = _changed;
            Volatile.Write(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.SetResult();
    }

    // A record without messages; it is stamped like every other.
    private async Task<long[]> MarkAsync(int[] ordinals)
    {
        var empty = new Production("", []);
        byte[] record = new byte[ProductionLayout.LengthOf(empty, ordinals.Length)];
        ProductionLayout.Write(record, empty, ordinals, new int[ordinals.Length], []);
        var pending = new PendingProduction(ordinals.Length, false);
        if (!Journal.TryAppend(record, out ValueTask<JournalPosition> appended, pending))
        {
            throw new TopicLogException("Too much waits for the disk. Try again.");
        }

        try
        {
            await appended.ConfigureAwait(false);
        }
        catch (JournalFailedException error)
        {
            throw new TopicLogException(error.Message, error);
        }

        return pending.Firsts;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Topic {Topic} has its new partitions, but where the old ones ended then is a guess: {Error}")]
    private static partial void LogCutGuessed(ILogger logger, string topic, string error);
}
