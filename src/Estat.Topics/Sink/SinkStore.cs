// The sink's storing side: its session with the database, and the partitions that are its own.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>What came of trying to store a batch.</summary>
internal enum StoreOutcome
{
    /// <summary>It is stored.</summary>
    Stored,

    /// <summary>The database goes on elsewhere: read again from where the partitions stand.</summary>
    Elsewhere,

    /// <summary>Another one has taken a partition over.</summary>
    Lost,
}

/// <summary>
/// Makes one attempt at a time; what it throws ends the session, and the next attempt opens another one, which finds out what the last one came to.
/// Used by the sink's loop only.
/// </summary>
/// <param name="log">Where messages are.</param>
/// <param name="options">Options of Topics.</param>
/// <param name="source">Connections.</param>
/// <param name="counters">What is counted.</param>
/// <param name="time">Its clock.</param>
internal sealed partial class SinkStore(ITopicLog log, TopicsOptions options, NpgsqlDataSource source, SinkCounters counters, TimeProvider time)
    : IAsyncDisposable
{
    private const string Offsets =
        "SELECT topic, \"partition\", next_offset, high_offset, epoch FROM consumer_offsets WHERE sink = $1 AND topic = ANY ($2)";

    // All of them or none.
    private const string Pass = """
        WITH passed AS (
            SELECT o.topic, o."partition", b.start FROM consumer_offsets AS o
            JOIN unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[]) AS b(topic, part, expected, start, epoch)
                ON o.topic = b.topic AND o."partition" = b.part AND o.next_offset = b.expected AND o.epoch = b.epoch
            WHERE o.sink = $1 ORDER BY 1, 2 FOR UPDATE OF o)
        UPDATE consumer_offsets AS o
        SET next_offset = p.start, high_offset = greatest(o.high_offset, p.start), last_id = NULL, updated_at = now()
        FROM passed AS p
        WHERE o.sink = $1 AND o.topic = p.topic AND o."partition" = p."partition" AND (SELECT count(*) FROM passed) = cardinality($2)
        """;

    // Parts that are stored in time before larger ones are tried again.
    private const int BeforeLarger = 10;
    private readonly Takeover _takeover = new(log, options, source, time);
    private readonly SinkChores _chores = new(options, time);
    private readonly Dictionary<TopicPartition, OwnedPartition> _owned = [];
    private SinkSession? _session;
    private bool _isPrepared;
    private int _most = int.MaxValue;
    private int _inTime;
    private bool _isAllAgain;

    /// <summary>Its partitions; a copy. Any thread.</summary>
    internal IReadOnlyList<OwnedPartition> Owned { get; private set; } = [];

    /// <summary>The same by partition. Any thread.</summary>
    internal IReadOnlyDictionary<TopicPartition, OwnedPartition> ByPartition { get; private set; } = new Dictionary<TopicPartition, OwnedPartition>();

    /// <summary>Whether there are partitions, and the session has taken all of them.</summary>
    internal bool HasAll => Owned.Count > 0 && Owned.All(owned => owned.IsTaken);

    /// <summary>Whether the last attempt failed between BEGIN and COMMIT: only there a message can be the reason.</summary>
    internal bool HasFailedInTransaction { get; private set; }

    /// <summary>Whether the session's connection is of no use any more.</summary>
    internal bool IsBroken => _session is { Connection.State: not System.Data.ConnectionState.Open };

    /// <summary>Why the operator gave a position up; null: he did not.</summary>
    internal required Func<MessagePosition, Refusal?> GivenUp { get; init; }

    /// <summary>Why partitions of days cannot be made, or dropped by TOPICS_KEEP; null: they can.</summary>
    internal string? ChoreFault => _chores.Fault;

    /// <summary>Partitions came; they are taken over at the next attempt. Those that never went are taken only from this process.</summary>
    /// <param name="partitions">Which.</param>
    internal void Assign(IEnumerable<TopicPartition> partitions)
    {
        foreach (TopicPartition partition in partitions)
        {
            _owned.TryAdd(partition, new(partition));
        }

        Show();
    }

    /// <summary>Partitions went.</summary>
    /// <param name="partitions">Which.</param>
    internal void Revoke(IEnumerable<TopicPartition> partitions)
    {
        foreach (TopicPartition partition in partitions)
        {
            _owned.Remove(partition);
        }

        Show();
    }

    /// <summary>Forgets all partitions, and so whose they were.</summary>
    internal void Forget()
    {
        _owned.Clear();
        Show();
    }

    /// <summary>Takes over what is not taken over yet, and reads where all partitions stand.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Stored: all stand where they were thought to stand.</returns>
    internal async Task<StoreOutcome> SynchronizeAsync(CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            await OpenAsync(cancellationToken).ConfigureAwait(false);
            return await TakeAsync(Owned, cancellationToken).ConfigureAwait(false);
        }

        if (_owned.Values.Where(owned => !owned.IsTaken).ToList() is { Count: > 0 } added)
        {
            await _session.RenewAsync(cancellationToken).ConfigureAwait(false);
            return await TakeAsync(added, cancellationToken).ConfigureAwait(false);
        }

        return await ReadOffsetsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes one attempt to store a batch.</summary>
    /// <param name="batch">At least one message.</param>
    /// <param name="cancellationToken">Ends it: nobody knows then whether it is stored.</param>
    internal async Task<StoreOutcome> StoreAsync(SinkBatch batch, CancellationToken cancellationToken)
    {
        HasFailedInTransaction = false;
        for (int from = 0; from < batch.Count;)
        {
            int count = Math.Min(_most, batch.Count - from);
            SinkBatch part = count == batch.Count ? batch : batch.Part(from, from + count);
            if (await StorePartAsync(part, cancellationToken).ConfigureAwait(false) is var outcome and not StoreOutcome.Stored)
            {
                return outcome;
            }

            from += count;
            if (_most < int.MaxValue && ++_inTime >= BeforeLarger)
            {
                (_most, _inTime) = (_most > 1 << 20 ? int.MaxValue : _most * 2, 0);
            }
        }

        return StoreOutcome.Stored;
    }

    private async Task<StoreOutcome> StorePartAsync(SinkBatch batch, CancellationToken cancellationToken)
    {
        if (_session is null && await SynchronizeAsync(cancellationToken).ConfigureAwait(false) is var outcome and not StoreOutcome.Stored)
        {
            return outcome;
        }

        if (OwnersOf(batch) is not { } owners)
        {
            return StoreOutcome.Elsewhere;
        }

        await _chores.DoAsync(_session!.Connection, cancellationToken).ConfigureAwait(false);
        await _chores.EnsureAsync(_session.Connection, batch.Days, cancellationToken).ConfigureAwait(false);
        long began = time.GetTimestamp();
        BatchTransaction transaction = Transaction(batch, owners);
        StoreResult result;
        try
        {
            result = await transaction.StoreAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            HasFailedInTransaction = true;
            OnFailed(error, batch.Count);
            throw;
        }

        if (!result.IsStored)
        {
            return await ReadOffsetsAsync(cancellationToken).ConfigureAwait(false) == StoreOutcome.Lost ? StoreOutcome.Lost : StoreOutcome.Elsewhere;
        }

        // Where everything was there already more of it may be: as under a sink's second name.
        _isAllAgain = transaction.IsAllAgain && result.Repeated > 0;
        counters.Add(result, time.GetElapsedTime(began));
        for (int part = 0; part < owners.Count; part++)
        {
            owners[part].Next = batch.Parts[part].Next;
            owners[part].High = Math.Max(owners[part].High, batch.Parts[part].Next);
        }

        return StoreOutcome.Stored;
    }

    /// <summary>Goes past what the log has deleted, without storing it.</summary>
    /// <param name="expired">Partitions, and where the log begins now.</param>
    /// <param name="cancellationToken">Ends it: nobody knows then whether it is done.</param>
    internal async Task<StoreOutcome> PassAsync(IReadOnlyList<(OwnedPartition Owned, long Start)> expired, CancellationToken cancellationToken)
    {
        if (_session is null && await SynchronizeAsync(cancellationToken).ConfigureAwait(false) is var outcome and not StoreOutcome.Stored)
        {
            return outcome;
        }

        await using var command = new NpgsqlCommand(Pass, _session!.Connection)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, new() { Value = expired.Select(one => one.Owned.Partition.Topic).ToArray() },
                new() { Value = expired.Select(one => one.Owned.Partition.Partition).ToArray() },
                new() { Value = expired.Select(one => one.Owned.Next).ToArray() }, new() { Value = expired.Select(one => one.Start).ToArray() },
                new() { Value = expired.Select(one => one.Owned.Epoch ?? -1).ToArray() },
            },
        };
        if (await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) < expired.Count)
        {
            return await ReadOffsetsAsync(cancellationToken).ConfigureAwait(false) == StoreOutcome.Lost ? StoreOutcome.Lost : StoreOutcome.Elsewhere;
        }

        foreach ((OwnedPartition owned, long start) in expired)
        {
            (owned.Next, owned.High) = (start, Math.Max(owned.High, start));
        }

        return StoreOutcome.Stored;
    }

    /// <summary>Ends the session: something of it failed, or nobody needs it.</summary>
    internal async ValueTask CloseAsync()
    {
        foreach (OwnedPartition owned in Owned)
        {
            owned.IsTaken = false;
        }

        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync();

    private BatchTransaction Transaction(SinkBatch batch, IReadOnlyList<OwnedPartition> owners) =>
        new(_session!, batch, owners, options) { Cut = _chores.Cut, GivenUp = GivenUp, Log = log, IsAllAgain = _isAllAgain };

    private void Show()
    {
        Owned = [.. _owned.Values];
        ByPartition = new Dictionary<TopicPartition, OwnedPartition>(_owned);
    }

    private void OnFailed(Exception error, int count)
    {
        if (SqlErrors.IsTimeout(error))
        {
            // The statement is too large for its time: half of it next time.
            (_most, _inTime) = (Math.Max(1, count / 2), 0);
        }
        else if (SqlErrors.IsOfSchema(error))
        {
            _isPrepared = false;
        }
    }

    // Null: the batch was read from elsewhere than where the partitions stand.
    private List<OwnedPartition>? OwnersOf(SinkBatch batch)
    {
        var owners = new List<OwnedPartition>(batch.Parts.Count);
        foreach (BatchPart part in batch.Parts)
        {
            if (!_owned.TryGetValue(part.Partition, out OwnedPartition? owned) || !owned.IsTaken || owned.Next != part.From)
            {
                return null;
            }

            owners.Add(owned);
        }

        return owners;
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_isPrepared)
            {
                await TopicsSchema.PrepareAsync(connection, options.Migrate, cancellationToken).ConfigureAwait(false);
                _isPrepared = true;
            }

            _session = await SinkSession.BeginAsync(connection, options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _isPrepared &= !SqlErrors.IsOfSchema(error);
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await _chores.DoAsync(_session.Connection, cancellationToken).ConfigureAwait(false);
    }

    private async Task<StoreOutcome> TakeAsync(IReadOnlyList<OwnedPartition> partitions, CancellationToken cancellationToken)
    {
        if (partitions.Count == 0)
        {
            return StoreOutcome.Stored;
        }

        long[] before = [.. partitions.Select(owned => owned.Next)];
        IReadOnlyList<OwnedPartition> lost = await _takeover.TakeAsync(_session!, partitions, cancellationToken).ConfigureAwait(false);
        return lost.Count > 0 ? StoreOutcome.Lost
            : partitions.Select(owned => owned.Next).SequenceEqual(before) ? StoreOutcome.Stored
            : StoreOutcome.Elsewhere;
    }

    private async Task<StoreOutcome> ReadOffsetsAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Offsets, _session!.Connection)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, new() { Value = _owned.Keys.Select(partition => partition.Topic).Distinct().ToArray() },
            },
        };
        var rows = new Dictionary<TopicPartition, (long Next, long High, long Epoch)>();
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                rows[new(reader.GetString(0), reader.GetInt32(1))] = (reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
            }
        }

        var outcome = StoreOutcome.Stored;
        foreach (OwnedPartition owned in _owned.Values)
        {
            if (!rows.TryGetValue(owned.Partition, out (long Next, long High, long Epoch) row) || row.Epoch != owned.Epoch)
            {
                return StoreOutcome.Lost;
            }

            outcome = row.Next == owned.Next ? outcome : StoreOutcome.Elsewhere;
            (owned.Next, owned.High) = (row.Next, row.High);
        }

        return outcome;
    }
}
