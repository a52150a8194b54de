// The sink's work on one feed.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

internal sealed partial class SinkLoop
{
    // Attempts after which a single message is looked for.
    private const int FailuresBeforeProbe = 2;

    private static readonly TimeSpan BetweenPinned = TimeSpan.FromSeconds(30);

    private async Task RunFeedAsync()
    {
        await using ILogFeed feed = _log.OpenFeed();
        await using var reader = new SinkReader(feed, _options);
        // Finds out at once, and says, whether the database is there.
        await PersistAsync(() => _store.SynchronizeAsync(_ending.Token), null).ConfigureAwait(false);
        while (!_draining.IsCancellationRequested)
        {
            // After a pause it looks at once where it goes on, and says that it runs.
            if (!await WhilePausedAsync().ConfigureAwait(false) && await IsReadAsync(reader).ConfigureAwait(false))
            {
                await TurnAsync(feed, reader).ConfigureAwait(false);
            }
            else if (!_isPaused)
            {
                StoreOutcome outcome = await PersistAsync(() => _store.SynchronizeAsync(_ending.Token), null).ConfigureAwait(false);
                if (outcome != StoreOutcome.Stored || ExpiredPartitions().Any())
                {
                    await GoElsewhereAsync(reader).ConfigureAwait(false);
                }

                // The reading stood for a while and did not fail; with Kafka there may be no partition for this node.
                _isLogGood = true;
                ReportRunning();
            }
        }
    }

    // False: woken, or nothing came for a while.
    private async Task<bool> IsReadAsync(SinkReader reader)
    {
        Task<SinkReading> reading = reader.Reading;
        if (!reading.IsCompleted)
        {
            await UntilWokenAsync(BetweenLooks, reading, Volatile.Read(ref _wake).Task).ConfigureAwait(false);
        }

        _draining.Token.ThrowIfCancellationRequested();
        return reading.IsCompleted && !_isPaused;
    }

    private async Task TurnAsync(ILogFeed feed, SinkReader reader)
    {
        SinkReading reading = await reader.TakeAsync().ConfigureAwait(false);
        if (reading.Assigned.Count + reading.Revoked.Count > 0)
        {
            reader.Return(reading.Batch);
            await ChangeAsync(reader, reading).ConfigureAwait(false);
            return;
        }

        SinkBatch batch = reading.Batch;
        if (batch.Count == 0)
        {
            reader.Return(batch);
            return;
        }

        // Under load it reads on while this batch is stored. Otherwise the next reading, behind it, finds all that came meanwhile.
        _isLogGood = true;
        _ = reading.IsLarge ? reader.Reading : null;
        StoreOutcome outcome = await PersistAsync(() => _store.StoreAsync(batch, _ending.Token), batch).ConfigureAwait(false);
        if (outcome == StoreOutcome.Stored)
        {
            foreach (BatchPart part in batch.Parts)
            {
                feed.OnStored(part.Partition, part.Next);
            }

            ForgetGivenUp(batch.Parts);
            _pinned = null;
            reader.Return(batch);
            if (ExpiredPartitions().Any())
            {
                await GoElsewhereAsync(reader).ConfigureAwait(false);
            }

            return;
        }

        // What it could not get past may be passed over there.
        _pinned = null;
        reader.Return(batch);
        await GoElsewhereAsync(reader).ConfigureAwait(false);
    }

    // Only what is behind the sink now: another one may have been given up while this batch was stored.
    private void ForgetGivenUp(IReadOnlyList<BatchPart> parts)
    {
        foreach (MessagePosition at in _givenUp.Keys)
        {
            if (parts.Any(part => part.Partition == at.Of && at.Offset < part.Next))
            {
                _givenUp.TryRemove(at, out _);
            }
        }
    }

    private async Task ChangeAsync(SinkReader reader, SinkReading reading)
    {
        _store.Revoke(reading.Revoked);
        foreach (TopicPartition partition in reading.Revoked)
        {
            reader.Forget(partition);
        }

        _store.Assign(reading.Assigned);
        StoreOutcome outcome = await PersistAsync(() => _store.SynchronizeAsync(_ending.Token), null).ConfigureAwait(false);
        LogPartitions(_logger, _store.Owned.Count, reading.Assigned.Count, reading.Revoked.Count);
        if (outcome == StoreOutcome.Elsewhere)
        {
            await GoElsewhereAsync(reader).ConfigureAwait(false);
            return;
        }

        IReadOnlyList<TopicPartition> passed = await PassExpiredAsync().ConfigureAwait(false);
        foreach (TopicPartition partition in reading.Assigned.Union(passed))
        {
            reader.Seek(partition, _store.ByPartition[partition].Next);
        }
    }

    // Everything that was read ahead is forgotten.
    private async Task GoElsewhereAsync(SinkReader reader)
    {
        if (await reader.AbandonAsync().ConfigureAwait(false) is { } abandoned && abandoned.Assigned.Count + abandoned.Revoked.Count > 0)
        {
            await ChangeAsync(reader, abandoned).ConfigureAwait(false);
        }

        await PassExpiredAsync().ConfigureAwait(false);
        foreach (OwnedPartition owned in _store.Owned.Where(owned => owned.IsKnown))
        {
            reader.Seek(owned.Partition, owned.Next);
        }
    }

    // What the log deleted before it was stored: embedded, only while nobody stored.
    private IEnumerable<(OwnedPartition Owned, long Start)> ExpiredPartitions() => _store.Owned
        .Where(owned => owned.IsKnown)
        .Select(owned => (Owned: owned, Start: _log.BoundsOf(owned.Partition)?.Start ?? 0))
        .Where(expired => expired.Start > expired.Owned.Next);

    // The database goes past it as well, so that it is counted once, and not at each start. No reading is under way.
    private async Task<IReadOnlyList<TopicPartition>> PassExpiredAsync()
    {
        var passed = new List<TopicPartition>();
        while (ExpiredPartitions().ToList() is { Count: > 0 } expired)
        {
            long[] before = [.. expired.Select(one => one.Owned.Next)];
            if (await PersistAsync(() => _store.PassAsync(expired, _ending.Token), null).ConfigureAwait(false) != StoreOutcome.Stored)
            {
                continue; // it is elsewhere, where less may be expired
            }

            for (int index = 0; index < expired.Count; index++)
            {
                long lost = expired[index].Start - before[index];
                Counters.Expired.Add(lost);
                LogExpired(_logger, lost, expired[index].Owned.Partition);
                passed.Add(expired[index].Owned.Partition);
            }
        }

        return passed;
    }

    // Tries until it is done, or the sink drains.
    private async Task<StoreOutcome> PersistAsync(Func<Task<StoreOutcome>> attempt, SinkBatch? batch)
    {
        // Not within the loop: with Kafka what Lost makes is no fault, and would be tried again.
        StoreOutcome outcome = await TryAsync(attempt, batch).ConfigureAwait(false);
        if (outcome == StoreOutcome.Lost)
        {
            throw Lost();
        }

        ReportChores();
        if (_isLogGood && _store.HasAll)
        {
            ReportRunning();
        }

        return outcome;
    }

    private async Task<StoreOutcome> TryAsync(Func<Task<StoreOutcome>> attempt, SinkBatch? batch)
    {
        for (int failures = 0; ; )
        {
            // Read before the attempt: what the operator does in it is not missed.
            Task wake = Volatile.Read(ref _wake).Task;
            try
            {
                if (batch is null || !await IsStillPinnedAsync(batch).ConfigureAwait(false))
                {
                    return await attempt().ConfigureAwait(false);
                }
            }
            catch (Exception error) when (error is not SinkFaultException && !_ending.IsCancellationRequested)
            {
                bool isOfTransaction = _store.HasFailedInTransaction;
                SinkTrouble trouble = SinkTroubles.OfAttempt(error, _store.IsBroken);
                await _store.CloseAsync().ConfigureAwait(false);
                failures++;
                Counters.Retries.Increment();
                ReportWaiting(trouble, error);
                ReportChores();
                if (batch is not null && isOfTransaction && failures >= FailuresBeforeProbe && SqlErrors.MayBeOneMessage(error))
                {
                    await ProbeAsync(batch).ConfigureAwait(false);
                }
            }

            await UntilWokenAsync(_pinned is null ? Retry.After(failures) : BetweenPinned, wake).ConfigureAwait(false);
            _draining.Token.ThrowIfCancellationRequested();
            await WhilePausedAsync().ConfigureAwait(false);
        }
    }

    // A message that cannot be stored is tried alone, so that not all of its batch is stored and undone each time.
    private async Task<bool> IsStillPinnedAsync(SinkBatch batch)
    {
        if (_pinned is not { } pinned || _givenUp.ContainsKey(pinned.At))
        {
            _pinned = null;
            return false;
        }

        bool isPinned = await _store.IsRefusingAsync(batch, pinned.At, _ending.Token).ConfigureAwait(false);
        await _store.CloseAsync().ConfigureAwait(false);
        if (isPinned)
        {
            ShowPinned(pinned);
        }

        return isPinned;
    }

    // With Kafka the group decides whose a partition is, and a new feed asks it.
    private Exception Lost() => _options.Log == LogKind.Kafka
        ? new PartitionsLostException("another node has taken some over; it asks Kafka anew which are its own")
        : new SinkFaultException(
            "another node has taken over the sink's partitions: it stores nothing more here. When that was not meant, end the other node, and resume "
            + "this one's sink");

    private async Task ProbeAsync(SinkBatch batch)
    {
        try
        {
            if (await _store.ProbeAsync(batch, _ending.Token).ConfigureAwait(false) is not { } pin)
            {
                _pinned = null;
                return;
            }

            string text = SqlErrors.Text(pin.Error);
            if (_pinned?.At != pin.At)
            {
                _pinned = new(pin.At, text, _time.GetUtcNow());
                LogPinned(_logger, pin.At, text);
            }

            ShowPinned(_pinned!);
        }
        catch (Exception error) when (error is not SinkFaultException && !_ending.IsCancellationRequested)
        {
            // The error has become another one: the next attempt tells it.
            _pinned = null;
        }

        await _store.CloseAsync().ConfigureAwait(false);
    }

    // True: it was.
    private async Task<bool> WhilePausedAsync()
    {
        bool wasPaused = false;
        while (_isPaused)
        {
            wasPaused = true;
            Task wake = Volatile.Read(ref _wake).Task;
            if (_state.Activity != SinkActivity.Paused)
            {
                _state = new(SinkActivity.Paused, "the operator paused it", _time.GetUtcNow());
                LogPaused(_logger);
            }

            await UntilWokenAsync(Timeout.InfiniteTimeSpan, wake).ConfigureAwait(false);
            _draining.Token.ThrowIfCancellationRequested();
        }

        return wasPaused;
    }
}
