// How partitions become a sink's own: the epoch in their rows becomes its session's.
using System.Globalization;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// A partition that was never this process's is taken whatever its epoch is: the log has assigned it. One that was is taken again, after a lost
/// connection, only while its epoch is still ours: else another one has taken over. Ours are the last one that was seen in the row, and the one that
/// was asked for since, should its answer be lost. The row's lock makes this wait for a transaction that the old session has open; after
/// TOPICS_TAKEOVER that session is ended.
/// </summary>
/// <param name="log">Where the partitions are.</param>
/// <param name="options">The sink's name, and how long to wait.</param>
/// <param name="source">For a second connection, which ends the old session.</param>
/// <param name="time">Its clock.</param>
internal sealed class Takeover(ITopicLog log, TopicsOptions options, NpgsqlDataSource source, TimeProvider time)
{
    private const string Insert = """
        INSERT INTO consumer_offsets (sink, topic, "partition", next_offset, high_offset, epoch, log_id)
        SELECT $1, p.topic, p.part, p.start, p.start, 0, $5 FROM unnest($2::text[], $3::int[], $4::bigint[]) AS p(topic, part, start)
        ORDER BY 2, 3 ON CONFLICT DO NOTHING
        """;

    private const string Select = """
        SELECT o.topic, o."partition", o.next_offset, o.high_offset, o.log_id, o.last_id, o.epoch FROM consumer_offsets AS o
        JOIN unnest($2::text[], $3::int[], $4::text[]) AS p(topic, part, epochs) ON o.topic = p.topic AND o."partition" = p.part
        WHERE o.sink = $1 AND (p.epochs = '' OR o.epoch = ANY (string_to_array(p.epochs, ',')::bigint[]))
        """;

    private const string SelectLocked = $"{Select} ORDER BY 1, 2 FOR UPDATE OF o";

    private const string Update = """
        UPDATE consumer_offsets AS o SET epoch = $4, updated_at = now() FROM unnest($2::text[], $3::int[]) AS p(topic, part)
        WHERE o.sink = $1 AND o.topic = p.topic AND o."partition" = p.part
        """;

    private const string EndOldSession = """
        SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a
        WHERE a.pid = ANY (pg_blocking_pids($1)) AND starts_with(a.application_name, $2)
        """;

    /// <summary>Takes partitions over. Those that are another's now stay as they are.</summary>
    /// <param name="session">Without a transaction.</param>
    /// <param name="partitions">All that shall be this session's.</param>
    /// <param name="cancellationToken">Ends it; nothing is taken then, or all.</param>
    /// <returns>Partitions that are another's.</returns>
    /// <exception cref="SinkFaultException">A row belongs to another log, or the log has lost messages that are stored.</exception>
    /// <exception cref="DatabaseUnfitException">Another session has them, and may not be ended.</exception>
    internal async Task<IReadOnlyList<OwnedPartition>> TakeAsync(
        SinkSession session, IReadOnlyList<OwnedPartition> partitions, CancellationToken cancellationToken)
    {
        // The log may take long to answer: it is asked before the rows are locked. Again only of rows that have changed in between.
        Dictionary<TopicPartition, Row> seen = await LookAsync(session, partitions, cancellationToken).ConfigureAwait(false);
        foreach (OwnedPartition owned in partitions.Where(owned => seen.ContainsKey(owned.Partition)))
        {
            await CheckAsync(owned, seen[owned.Partition], cancellationToken).ConfigureAwait(false);
        }

        Dictionary<TopicPartition, Row> locked = await LockAsync(session, partitions, cancellationToken).ConfigureAwait(false);
        List<OwnedPartition> taken = [.. partitions.Where(owned => locked.ContainsKey(owned.Partition))];
        foreach (OwnedPartition owned in taken)
        {
            Row row = locked[owned.Partition];
            if (!seen.TryGetValue(owned.Partition, out Row? before) || before with { Epoch = row.Epoch } != row)
            {
                await CheckAsync(owned, row, cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (OwnedPartition owned in taken)
        {
            owned.Claim(session.Epoch, locked[owned.Partition].Epoch);
        }

        await CommitAsync(session, taken, cancellationToken).ConfigureAwait(false);
        foreach (OwnedPartition owned in taken)
        {
            owned.Take(session.Epoch, locked[owned.Partition].Next, locked[owned.Partition].High);
        }

        return [.. partitions.Except(taken)];
    }

    private async Task<Dictionary<TopicPartition, Row>> LookAsync(
        SinkSession session, IReadOnlyList<OwnedPartition> partitions, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(session.Connection) { BatchCommands = { Command(Select, partitions, owned => owned.Epochs) } };
        return await ReadAsync(batch.ExecuteReaderAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<Dictionary<TopicPartition, Row>> LockAsync(
        SinkSession session, IReadOnlyList<OwnedPartition> partitions, CancellationToken cancellationToken)
    {
        NpgsqlBatchCommand insert = Command(Insert, partitions, owned => Start(owned.Partition));
        insert.Parameters.Add(new() { Value = log.Id });
        // Both wait for a transaction that holds the rows.
        await using var batch = new NpgsqlBatch(session.Connection)
        {
            BatchCommands =
            {
                new("BEGIN ISOLATION LEVEL READ COMMITTED"), insert, Command(SelectLocked, partitions, owned => owned.Epochs),
            },
            // Long enough for the old session to be ended; then another session begins anew.
            Timeout = (int)Math.Ceiling(options.Takeover.TotalSeconds * 2) + 5,
        };
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<NpgsqlDataReader> answering = batch.ExecuteReaderAsync(waiting.Token);
        Task overdue = Task.Delay(options.Takeover, time, waiting.Token);
        while (await Task.WhenAny(answering, overdue).ConfigureAwait(false) == overdue && !cancellationToken.IsCancellationRequested)
        {
            if (await WhyNotEndedAsync(session.Process, session.Prefix, cancellationToken).ConfigureAwait(false) is { } why)
            {
                await waiting.CancelAsync().ConfigureAwait(false);
                await ((Task)answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new DatabaseUnfitException(
                    $"another session of the sink {options.SinkName} holds its partitions, and this one's role may not end it: {why}. Give both "
                    + "nodes one role, or end that session");
            }

            overdue = Task.Delay(options.Takeover, time, waiting.Token);
        }

        Dictionary<TopicPartition, Row> locked = await ReadAsync(answering, cancellationToken).ConfigureAwait(false);
        await waiting.CancelAsync().ConfigureAwait(false);
        return locked;
    }

    private async Task CommitAsync(SinkSession session, IReadOnlyList<OwnedPartition> taken, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(session.Connection)
        {
            BatchCommands =
            {
                new(Update)
                {
                    Parameters =
                    {
                        new() { Value = options.SinkName }, new() { Value = taken.Select(owned => owned.Partition.Topic).ToArray() },
                        new() { Value = taken.Select(owned => owned.Partition.Partition).ToArray() }, new() { Value = session.Epoch },
                    },
                },
                new("COMMIT"),
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Dictionary<TopicPartition, Row>> ReadAsync(Task<NpgsqlDataReader> answering, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<TopicPartition, Row>();
        await using NpgsqlDataReader reader = await answering.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows[new(reader.GetString(0), reader.GetInt32(1))] = new(
                reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4), reader.IsDBNull(5) ? null : reader.GetGuid(5), reader.GetInt64(6));
        }

        return rows;
    }

    // Ends those sessions of this sink for whose lock this one waits. Null: they are ended, or it is tried again; else why that is not allowed.
    private async Task<string?> WhyNotEndedAsync(int process, string prefix, CancellationToken cancellationToken)
    {
        try
        {
            await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(EndOldSession, connection)
            {
                Parameters = { new() { Value = process }, new() { Value = prefix } },
            };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return SqlErrors.Text(error);
        }
        catch (NpgsqlException)
        {
            // Who waits for the row tells what is wrong with the database.
            return null;
        }
    }

    private NpgsqlBatchCommand Command<T>(string sql, IReadOnlyList<OwnedPartition> partitions, Func<OwnedPartition, T> value) => new(sql)
    {
        Parameters =
        {
            new() { Value = options.SinkName }, new() { Value = partitions.Select(owned => owned.Partition.Topic).ToArray() },
            new() { Value = partitions.Select(owned => owned.Partition.Partition).ToArray() }, new() { Value = partitions.Select(value).ToArray() },
        },
    };

    private long Start(TopicPartition partition) => log.BoundsOf(partition)?.Start ?? 0;

    private async ValueTask CheckAsync(OwnedPartition owned, Row row, CancellationToken cancellationToken)
    {
        (TopicPartition partition, long next) = (owned.Partition, row.Next);
        if (row.LogId != log.Id)
        {
            throw new SinkFaultException(
                $"the database holds messages of {partition} of another log ({row.LogId}), and this one is {log.Id} ({log.Description}). Point "
                + "TOPICS_DIR or KAFKA_BOOTSTRAP_SERVERS at that log; or, to go on with this one from its start: estat topics adopt");
        }

        // What the log shows may be a moment old, and the last owner may have stored newer messages: it is asked before it is accused.
        if (log.BoundsOf(partition) is { } bounds && bounds.End < next
            && await log.FindOffsetAsync(partition, long.MaxValue, cancellationToken).ConfigureAwait(false) is var end && end < next)
        {
            throw new SinkFaultException(string.Create(
                CultureInfo.InvariantCulture,
                $"the log ({log.Description}) ends at {partition}@{end}, and the database holds messages up to {next}: ")
                + "the log has lost some. Bring it back; or, to go on with it as it is from its start: estat topics adopt");
        }

        // Only once: while a process runs nobody exchanges its log.
        if (!owned.IsKnown && await LastStored.IsAnotherAsync(log, partition, next, row.LastId, cancellationToken).ConfigureAwait(false))
        {
            throw new SinkFaultException(string.Create(
                CultureInfo.InvariantCulture,
                $"the log ({log.Description}) has another message at {partition}@{next - 1} than the one that the database holds: ")
                + "it is an older copy. Bring the right one back; or, to go on with it as it is from its start: estat topics adopt");
        }
    }

    private sealed record Row(long Next, long High, string LogId, Guid? LastId, long Epoch);
}
