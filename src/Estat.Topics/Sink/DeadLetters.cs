// What the operator does with dead letters.
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Sink;

/// <summary>
/// Each operation is one transaction, and more of them where much was held: each makes the first one that is left what the others wait for, so that
/// the key stays held in between. They have a lock alone that the sink's batches share: two of them take turns, the second one finds the row
/// resolved, and no batch sees half of what they do. Any thread.
/// </summary>
/// <param name="source">Connections.</param>
/// <param name="log">For the topics' partitions.</param>
/// <param name="options">The sink's name.</param>
/// <param name="time">For days' partitions.</param>
internal sealed class DeadLetters(NpgsqlDataSource source, ITopicLog log, TopicsOptions options, TimeProvider time)
{
    /// <summary>Most dead letters of one list.</summary>
    internal const int MostListed = 1_000;

    // Milliseconds. Batches of the sink wait meanwhile.
    private const int StatementTimeout = 25_000;

    private const string Select = $"""
        SELECT {DeadLetterReading.ColumnsOfList} FROM dead_letters
        WHERE sink = $1 AND ($2::text IS NULL OR topic = $2) AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR state = $4)
            AND ($5::bigint IS NULL OR number < $5) AND ($7::text IS NULL OR reason = $7)
        ORDER BY number DESC LIMIT $6
        """;

    private const string One = $"SELECT {DeadLetterReading.Columns} FROM dead_letters WHERE sink = $1 AND number = $2";

    /// <summary>Lists dead letters, the newest first, without their values.</summary>
    /// <param name="filter">Which; the next page is below the last one's number.</param>
    /// <param name="limit">How many at the most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<IReadOnlyList<StoredDeadLetter>> ListAsync(DeadLetterFilter filter, int limit, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(Select, connection)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, Text(filter.Topic), Text(filter.Kind is { } kind ? DeadLetter.NameOf(kind) : null),
                Text(filter.State), new() { Value = (object?)filter.Below ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint },
                new() { Value = Math.Clamp(limit, 1, MostListed) }, Text(filter.Reason),
            },
        };
        var letters = new List<StoredDeadLetter>();
        await DeadLetterReading.ReadAsync(command, letters, cancellationToken).ConfigureAwait(false);
        return letters;
    }

    /// <summary>A dead letter with its value; null when there is none of that number.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<StoredDeadLetter?> FindAsync(long number, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        return await FindAsync(connection, number, One, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stores a dead letter at its original position, and with it what was held behind it. May be done again.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="value">The mended value; null: its own, as when a rule of the database has gone.</param>
    /// <param name="cancellationToken">Ends it; it is done then or not.</param>
    internal Task<DeadLetterResult> ReplayAsync(long number, ReadOnlyMemory<byte>? value, CancellationToken cancellationToken) =>
        ResolveAsync(
            number,
            async (replay, letter) =>
            {
                if (letter.Kind == DeadLetterKind.Held && await replay.IsBehindAsync(letter, cancellationToken).ConfigureAwait(false))
                {
                    return new(DeadLetterOutcome.Behind);
                }

                return await replay.StoreAsync(letter, value, cancellationToken).ConfigureAwait(false) is { } refusal
                    ? new(DeadLetterOutcome.Refused, refusal)
                    : new(DeadLetterOutcome.Replayed);
            },
            cancellationToken);

    /// <summary>Gives a dead letter up; what was held behind it is stored. May be done again.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="cancellationToken">Ends it; it is done then or not.</param>
    internal Task<DeadLetterResult> DiscardAsync(long number, CancellationToken cancellationToken) =>
        ResolveAsync(
            number,
            async (replay, letter) =>
            {
                await replay.DiscardAsync(letter, cancellationToken).ConfigureAwait(false);
                return new(DeadLetterOutcome.Discarded);
            },
            cancellationToken);

    private static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private async Task<DeadLetterResult> ResolveAsync(
        long number, Func<DeadLetterReplay, StoredDeadLetter, Task<DeadLetterResult>> resolve, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        if (await FindAsync(connection, number, One, cancellationToken).ConfigureAwait(false) is not { } seen)
        {
            return new(DeadLetterOutcome.NotFound);
        }

        // Not of a day that was dropped: it is not made again.
        long cut = await DayPartitions.CutAsync(connection, cancellationToken).ConfigureAwait(false);
        if (seen.Time.ToUnixTimeMilliseconds() is var milliseconds && milliseconds >= cut)
        {
            await EnsureAsync(connection, milliseconds, cancellationToken).ConfigureAwait(false);
        }

        DeadLetterResult result = new(DeadLetterOutcome.NotFound);
        long? rest = null;
        await InTransactionAsync(
            connection,
            async () =>
            {
                StoredDeadLetter letter = (await FindAsync(connection, number, One + " FOR UPDATE", cancellationToken).ConfigureAwait(false))!;
                if (letter.State != "open")
                {
                    result = new(letter.State == "replayed" ? DeadLetterOutcome.WasReplayed : DeadLetterOutcome.WasDiscarded);
                    return null;
                }

                var replay = new DeadLetterReplay(connection, options, cut);
                result = await resolve(replay, letter).ConfigureAwait(false);
                if (result.Outcome is not (DeadLetterOutcome.Replayed or DeadLetterOutcome.Discarded))
                {
                    return null;
                }

                rest = letter.Kind == DeadLetterKind.Typed ? null : await replay.TurnNextAsync(letter, cancellationToken).ConfigureAwait(false);
                return replay.Counts;
            },
            cancellationToken).ConfigureAwait(false);
        while (rest is { } next)
        {
            rest = null;
            await InTransactionAsync(
                connection,
                async () =>
                {
                    // The operator may have resolved it meanwhile: then its own operation goes on.
                    if (await FindAsync(connection, next, One + " FOR UPDATE", cancellationToken).ConfigureAwait(false)
                        is not { State: "open", Kind: DeadLetterKind.Message, Why.Code: RefusalCode.Held } first)
                    {
                        return null;
                    }

                    var replay = new DeadLetterReplay(connection, options, cut);
                    (long released, rest) = await replay.ReleaseAsync(first, cancellationToken).ConfigureAwait(false);
                    result = result with { Released = result.Released + released };
                    return replay.Counts;
                },
                cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    // A day that has none stays without: the DEFAULT partition takes the row.
    private async Task EnsureAsync(NpgsqlConnection connection, long milliseconds, CancellationToken cancellationToken)
    {
        try
        {
            await new DayPartitions(time).EnsureAsync(connection, [DayPartitions.DayOf(milliseconds)], cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException) when (connection.State == System.Data.ConnectionState.Open)
        {
            // As above. The sink's own chores tell what is wrong.
        }
    }

    // Commits when there are counts.
    private async Task InTransactionAsync(NpgsqlConnection connection, Func<Task<TopicCounts?>> work, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction =
            await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (var begin = new NpgsqlBatch(connection))
        {
            begin.BatchCommands.Add(new($"SET LOCAL statement_timeout = {StatementTimeout}"));
            begin.BatchCommands.Add(BatchFence.HoldAlone(options.SinkName));
            // What would be refused at COMMIT is refused with its row.
            begin.BatchCommands.Add(new("SET CONSTRAINTS ALL IMMEDIATE"));
            await begin.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        if (await work().ConfigureAwait(false) is { } counts)
        {
            await using var end = new NpgsqlBatch(connection) { BatchCommands = { counts.Update(log) } };
            await end.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<StoredDeadLetter?> FindAsync(NpgsqlConnection connection, long number, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = options.SinkName }, new() { Value = number } },
        };
        var letters = new List<StoredDeadLetter>();
        await DeadLetterReading.ReadAsync(command, letters, cancellationToken).ConfigureAwait(false);
        return letters.Count > 0 ? letters[0] : null;
    }
}
