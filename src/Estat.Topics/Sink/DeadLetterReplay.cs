// Stores dead letters, and the messages that were held behind them, within one transaction.
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>One transaction's work. Rows that are there already stay as they are. One user at a time.</summary>
/// <param name="connection">In a transaction that holds the dead letter's row.</param>
/// <param name="options">The sink's name.</param>
/// <param name="cut">Before which time days were dropped.</param>
internal sealed class DeadLetterReplay(NpgsqlConnection connection, TopicsOptions options, long cut)
{
    // Open dead letters of a key that hold it, or are held. Each partition is asked by itself: so the index gives the first ones without the rest.
    private const string OfKey = """
        sink = $1 AND topic = $2 AND sha256(key) = sha256($3) AND state = 'open' AND kind <> 'typed' AND key IS NOT NULL
        """;

    // In a partition by offset, also where times go back; across partitions by time. A portion ends after so many messages, or bytes.
    private const string NextHeld = $"""
        WITH RECURSIVE parts AS (
            (SELECT "partition" AS part FROM dead_letters WHERE {OfKey} ORDER BY "partition" LIMIT 1)
            UNION ALL
            SELECT (SELECT "partition" FROM dead_letters WHERE {OfKey} AND "partition" > part ORDER BY "partition" LIMIT 1)
            FROM parts WHERE part IS NOT NULL),
        held AS (
            SELECT which, max(time) OVER (PARTITION BY part ORDER BY at) AS time, part, at, bytes FROM parts, LATERAL (
                SELECT number AS which, "timestamp" AS time, "offset" AS at,
                    octet_length(coalesce(value, '')) + octet_length(headers) + octet_length(key) AS bytes
                FROM dead_letters WHERE {OfKey} AND kind = 'held' AND "partition" = part ORDER BY "offset" LIMIT $4) AS first),
        portion AS (
            SELECT which, time, part, at FROM (
                SELECT *, sum(bytes) OVER (ORDER BY time, part, at) - bytes AS before
                FROM (SELECT * FROM held ORDER BY time, part, at LIMIT $4) AS first
            ) AS summed WHERE before < $5)
        SELECT {DeadLetterReading.Columns} FROM dead_letters JOIN portion ON number = which ORDER BY time, part, at
        """;

    // An open dead letter of the key, or one that is held as well, is before it.
    private const string IsBehind = $"""
        SELECT EXISTS (SELECT FROM dead_letters WHERE {OfKey} AND "partition" = $5 AND "offset" < $6 AND number <> $4)
            OR EXISTS (SELECT FROM dead_letters WHERE {OfKey} AND "partition" <> $5 AND "timestamp" < $7 AND number <> $4)
        """;

    // Held messages of one transaction.
    private const int Portion = 1_000;
    private const long PortionBytes = 8 << 20;

    private const string HasOther = $"""
        SELECT EXISTS (SELECT FROM dead_letters WHERE {OfKey} AND kind = 'message' AND number <> $4)
        """;

    // One that was only made what the others wait for was held.
    private const string Resolve = """
        UPDATE dead_letters SET state = $2, resolved_at = now(), kind = CASE WHEN reason = 'held' THEN 'held' ELSE kind END WHERE number = ANY ($1)
        """;

    private const string Turn = "UPDATE dead_letters SET kind = 'message', reason = $2, detail = $3 WHERE number = $1";

    private readonly SinkBatch _batch = new(options.BatchBytes);

    /// <summary>What is added to topic_status at the end.</summary>
    internal TopicCounts Counts { get; } = new();

    /// <summary>Stores one.</summary>
    /// <param name="letter">An open one.</param>
    /// <param name="value">The value instead of its own; null: its own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Why it cannot be stored; null when it is.</returns>
    internal async Task<Refusal?> StoreAsync(StoredDeadLetter letter, ReadOnlyMemory<byte>? value, CancellationToken cancellationToken)
    {
        if (WhyNotAnymore(letter) is { } dropped)
        {
            return dropped;
        }

        _batch.Clear();
        _batch.Add(letter.Message(value), letter.At.Offset);
        bool isTyped = letter.Kind == DeadLetterKind.Typed;
        if ((_batch.Messages[0].Dead ?? (isTyped ? _batch.Messages[0].DeadTyped : null)) is { } still)
        {
            return still.Why;
        }

        if (await TryWriteAsync([0], isTyped, cancellationToken).ConfigureAwait(false) is { } refused)
        {
            return refused;
        }

        await ExecuteAsync(Resolve, cancellationToken, new[] { letter.Number }, "replayed").ConfigureAwait(false);
        return null;
    }

    /// <summary>Gives one up.</summary>
    /// <param name="letter">An open one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal Task DiscardAsync(StoredDeadLetter letter, CancellationToken cancellationToken) =>
        ExecuteAsync(Resolve, cancellationToken, new[] { letter.Number }, "discarded");

    /// <summary>Whether an open dead letter of the same key is there which must go first.</summary>
    /// <param name="letter">Any with a key.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<bool> IsBehindAsync(StoredDeadLetter letter, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = Command(
            IsBehind, options.SinkName, letter.At.Topic, letter.Content.Key!, letter.Number, letter.At.Partition, letter.At.Offset,
            letter.Time.UtcDateTime);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    /// <summary>Makes the first message that is held behind a resolved one what the others wait for.</summary>
    /// <param name="letter">Resolved in this transaction.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Its number, to be released by <see cref="ReleaseAsync(StoredDeadLetter, CancellationToken)"/>; null: there is none, or another dead
    /// letter holds it.</returns>
    internal async Task<long?> TurnNextAsync(StoredDeadLetter letter, CancellationToken cancellationToken)
    {
        if (letter.Content.Key is null || await HasOtherAsync(letter, cancellationToken).ConfigureAwait(false)
            || await HeldAsync(letter, 1, cancellationToken).ConfigureAwait(false) is not [{ } first])
        {
            return null;
        }

        await ExecuteAsync(Turn, cancellationToken, first.Number, first.Why.Code, first.Why.Detail).ConfigureAwait(false);
        return first.Number;
    }

    /// <summary>Stores one that <see cref="TurnNextAsync"/> named and a portion of those behind it, up to one that cannot be stored.</summary>
    /// <param name="first">It.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Messages that are stored, and the number of the next one; null: it is over.</returns>
    internal async Task<(long Released, long? Next)> ReleaseAsync(StoredDeadLetter first, CancellationToken cancellationToken)
    {
        List<StoredDeadLetter> held = [first, .. await HeldAsync(first, Portion, cancellationToken).ConfigureAwait(false)];
        (int stored, bool isOver) = await ReleaseAsync(held, cancellationToken).ConfigureAwait(false);
        return (stored, isOver ? null : await TurnNextAsync(first, cancellationToken).ConfigureAwait(false));
    }

    private async Task<bool> HasOtherAsync(StoredDeadLetter letter, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = Command(HasOther, options.SinkName, letter.At.Topic, letter.Content.Key!, letter.Number);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    private async Task<List<StoredDeadLetter>> HeldAsync(StoredDeadLetter letter, int most, CancellationToken cancellationToken)
    {
        List<StoredDeadLetter> held = [];
        await using NpgsqlCommand command = Command(NextHeld, options.SinkName, letter.At.Topic, letter.Content.Key!, most, PortionBytes);
        await DeadLetterReading.ReadAsync(command, held, cancellationToken).ConfigureAwait(false);
        return held;
    }

    private async Task<(int Stored, bool IsOver)> ReleaseAsync(List<StoredDeadLetter> held, CancellationToken cancellationToken)
    {
        StoredDeadLetter[] dropped = [.. held.Where(letter => WhyNotAnymore(letter) is not null)];
        StoredDeadLetter[] kept = [.. held.Except(dropped)];
        _batch.Clear();
        foreach (StoredDeadLetter letter in kept)
        {
            _batch.Add(letter.Message(null), letter.At.Offset);
        }

        int bad = Array.FindIndex(_batch.Messages.ToArray(), message => message.Dead is not null);
        Refusal? why = bad < 0 ? null : _batch.Messages[bad].Dead!.Why;
        int good = bad < 0 ? kept.Length : bad;
        if (good > 0 && await TryWriteAsync([.. Enumerable.Range(0, good)], false, cancellationToken).ConfigureAwait(false) is not null)
        {
            // The database refuses one of them: they go one by one, up to that one.
            (int alone, Refusal? refused) = (0, null);
            while (alone < good && (refused = await TryWriteAsync([alone], false, cancellationToken).ConfigureAwait(false)) is null)
            {
                alone++;
            }

            (good, why) = (alone, refused ?? why);
        }

        await ExecuteAsync(Resolve, cancellationToken, kept[..good].Select(letter => letter.Number).ToArray(), "replayed").ConfigureAwait(false);
        await ExecuteAsync(Resolve, cancellationToken, dropped.Select(letter => letter.Number).ToArray(), "discarded").ConfigureAwait(false);
        if (why is not null)
        {
            await ExecuteAsync(Turn, cancellationToken, kept[good].Number, why.Code, DeadLetterRows.Clean(why.Detail)).ConfigureAwait(false);
        }

        return (good, why is not null);
    }

    private Refusal? WhyNotAnymore(StoredDeadLetter letter) => letter.Time.ToUnixTimeMilliseconds() >= cut ? null
        : new("dropped", "its day was dropped by TOPICS_KEEP: it can only be discarded");

    // Under a savepoint: what is refused leaves the transaction as it was.
    private async Task<Refusal?> TryWriteAsync(IReadOnlyList<int> indexes, bool isTypedOnly, CancellationToken cancellationToken)
    {
        var writer = new RowWriter(connection, _batch);
        StoredTable table = StoredTable.Messages;
        string topic = _batch.Parts[0].Partition.Topic;
        await writer.ExecuteAsync("SAVEPOINT replay", cancellationToken).ConfigureAwait(false);
        try
        {
            int added = isTypedOnly ? 0 : await writer.WriteAsync(table, true, indexes, cancellationToken).ConfigureAwait(false);
            int typed = 0;
            int[] withRow = [.. indexes.Where(index => _batch.Messages[index].Typed.Length > 0)];
            if (withRow.Length > 0)
            {
                table = StoredTable.Of(topic)!;
                typed = await writer.WriteAsync(table, true, withRow, cancellationToken).ConfigureAwait(false);
            }

            await AddTypedLettersAsync(indexes, cancellationToken).ConfigureAwait(false);
            await writer.ExecuteAsync("RELEASE SAVEPOINT replay", cancellationToken).ConfigureAwait(false);
            Counts.AddMessages(topic, added, isTypedOnly ? 0 : indexes.Max(index => _batch.Messages[index].Time));
            Counts.AddTyped(topic, typed);
            return null;
        }
        catch (PostgresException error) when (SqlErrors.IsRefusal(error))
        {
            await writer.ExecuteAsync("ROLLBACK TO SAVEPOINT replay; RELEASE SAVEPOINT replay", cancellationToken).ConfigureAwait(false);
            return new(RefusalCode.Refused, $"{table.Name}: {SqlErrors.Text(error)}");
        }
    }

    // A message that is stored while its typed row cannot be: a dead letter of its own.
    private async Task AddTypedLettersAsync(IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        DeadLetter[] letters = [.. indexes.Select(index => _batch.Messages[index].DeadTyped).OfType<DeadLetter>()];
        if (letters.Length > 0)
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { DeadLetterRows.Insert(options.SinkName, letters) } };
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (object value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        return command;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using NpgsqlCommand command = Command(sql, values);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
