// One batch in one transaction: the offsets, the rows, the dead letters and the topics' counts, all of it or nothing.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// The fence comes first: one UPDATE of all the batch's partitions that holds only while their epoch and offset are what this sink knows. It also
/// locks their rows until the end, so that who takes over waits. When this throws, nobody knows whether COMMIT arrived: the session must be ended,
/// and the offset read by another one. One user at a time.
/// </summary>
/// <param name="session">Without a transaction.</param>
/// <param name="batch">At least one message.</param>
/// <param name="owned">Its partitions, in the order of the batch's.</param>
/// <param name="options">The sink's name, and TOPICS_ORDER.</param>
internal sealed class BatchTransaction(SinkSession session, SinkBatch batch, IReadOnlyList<OwnedPartition> owned, TopicsOptions options)
{
    // So many rows that are refused alike, while none is taken, are not the messages' fault.
    private const int Many = 100;

    // Dead letters of one statement.
    private const int LettersPortion = 500;
    private const int LettersBytes = 8 << 20;

    private readonly NpgsqlConnection _connection = session.Connection;
    private readonly TopicCounts _counts = new();
    private Func<int, bool> _isInPart = _ => true;

    /// <summary>Before which time days were dropped; milliseconds since 1970.</summary>
    internal long Cut { get; init; }

    /// <summary>Why the operator gave a position up; null: he did not.</summary>
    internal Func<MessagePosition, Refusal?> GivenUp { get; init; } = _ => null;

    /// <summary>Whether any row may be there already; found out where it was not known.</summary>
    internal bool IsAllAgain { get; set; }

    /// <summary>For the topics' partitions.</summary>
    internal required ITopicLog Log { get; init; }

    /// <summary>Stores the batch.</summary>
    /// <param name="cancellationToken">Ends it: nobody knows then whether it is stored.</param>
    internal async Task<StoreResult> StoreAsync(CancellationToken cancellationToken)
    {
        for (bool isIsolating = false; ;)
        {
            try
            {
                return await AttemptAsync(isIsolating, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (!isIsolating && SqlErrors.IsRefusal(error))
            {
                isIsolating = true;
            }
            catch (PostgresException error) when (!IsAllAgain && SqlErrors.IsThere(error))
            {
                // Another sink's name has stored them, or the row of this one's offset was lost.
                IsAllAgain = true;
            }

            await RollBackAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stores a part of the batch, and undoes it: whether it could be stored.</summary>
    /// <param name="from">The first message.</param>
    /// <param name="to">Behind the last one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether the fence held.</returns>
    /// <exception cref="PostgresException">It could not be stored, and no refusal was the reason.</exception>
    internal async Task<bool> ProbeAsync(int from, int to, CancellationToken cancellationToken)
    {
        if (await BeginAsync(cancellationToken).ConfigureAwait(false) is not { } plan)
        {
            return false;
        }

        var writer = new RowWriter(_connection, batch);
        _isInPart = index => index >= from && index < to;
        await IsolateAsync(writer, plan, new RowIsolation(writer, plan), new StoreResult(), cancellationToken).ConfigureAwait(false);
        await RollBackAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<StoreResult> AttemptAsync(bool isIsolating, CancellationToken cancellationToken)
    {
        _counts.Clear();
        if (await BeginAsync(cancellationToken).ConfigureAwait(false) is not { } plan)
        {
            return new() { IsStored = false };
        }

        var result = new StoreResult { IsStored = true };
        var writer = new RowWriter(_connection, batch);
        if (isIsolating)
        {
            var isolation = new RowIsolation(writer, plan);
            await IsolateAsync(writer, plan, isolation, result, cancellationToken).ConfigureAwait(false);
            plan.CheckRefusals(Many);
            result.Cuts = isolation.Cuts;
        }
        else
        {
            await EachTableAsync(
                plan,
                async (table, isAgain, indexes) => OnStored(
                    table, indexes, await writer.WriteAsync(table, isAgain, indexes, cancellationToken).ConfigureAwait(false), result))
                .ConfigureAwait(false);
        }

        await EndAsync(plan, result, cancellationToken).ConfigureAwait(false);
        return result;
    }

    private async Task IsolateAsync(
        RowWriter writer, BatchPlan plan, RowIsolation isolation, StoreResult result, CancellationToken cancellationToken)
    {
        // What would be refused at COMMIT is refused with its row.
        await writer.ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken).ConfigureAwait(false);
        await EachTableAsync(
            plan,
            (table, isAgain, indexes) => isolation.StoreAsync(
                table, isAgain, indexes,
                (rows, added) =>
                {
                    plan.Accept(table);
                    OnStored(table, rows, added, result);
                },
                cancellationToken)).ConfigureAwait(false);
    }

    // Null: the fence did not hold, and nothing is open.
    private async Task<BatchPlan?> BeginAsync(CancellationToken cancellationToken)
    {
        var fence = new BatchFence(_connection, batch, owned, options);
        (bool isHolding, HeldKeys? held) = await fence.BeginAsync(cancellationToken).ConfigureAwait(false);
        if (!isHolding)
        {
            await RollBackAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }

        // Only messages that may have been stored before can be there, or be dead letters.
        var plan = new BatchPlan(batch, held);
        int[] again = [.. Enumerable.Range(0, batch.Count).Where(IsAgain)];
        plan.Decide(
            Cut, GivenUp, await fence.KnownAsync(again, cancellationToken).ConfigureAwait(false),
            await fence.ThereAsync(held is null ? [] : again, cancellationToken).ConfigureAwait(false));
        return plan;
    }

    private bool IsAgain(int index) => IsAllAgain || (batch.Messages[index] is var message && message.Offset < owned[message.Part].High);

    // Messages first: a message that is refused has no typed row. Those that may be there go before the others, which are behind them, and topic by
    // topic, so that each topic's count is known.
    private async Task EachTableAsync(BatchPlan plan, Func<StoredTable, bool, IReadOnlyList<int>, Task> store)
    {
        foreach (StoredTable table in StoredTable.All)
        {
            if (table.Ordinal >= 0 && batch.TypedRows[table.Ordinal].Length == 0)
            {
                continue;
            }

            var fresh = new List<int>(batch.Count);
            var again = new List<int>();
            for (int index = 0; index < batch.Count; index++)
            {
                if (_isInPart(index) && plan.Wants(index, table))
                {
                    (IsAgain(index) ? again : fresh).Add(index);
                }
            }

            foreach (IGrouping<string, int> rows in again.GroupBy(TopicOf))
            {
                await store(table, true, [.. rows]).ConfigureAwait(false);
            }

            if (fresh.Count > 0)
            {
                await store(table, false, fresh).ConfigureAwait(false);
            }
        }
    }

    private string TopicOf(int index) => batch.Parts[batch.Messages[index].Part].Partition.Topic;

    private void OnStored(StoredTable table, IReadOnlyList<int> indexes, int added, StoreResult result)
    {
        if (table.Ordinal >= 0)
        {
            _counts.AddTyped(TopicOf(indexes[0]), added);
            result.Typed += added;
            return;
        }

        result.Messages += added;
        result.Repeated += indexes.Count - added;
        if (added < indexes.Count)
        {
            // Of one topic: see above.
            _counts.AddMessages(TopicOf(indexes[0]), added, indexes.Max(index => batch.Messages[index].Time));
            return;
        }

        foreach (int index in indexes)
        {
            _counts.AddMessages(TopicOf(index), 1, batch.Messages[index].Time);
        }
    }

    private async Task EndAsync(BatchPlan plan, StoreResult result, CancellationToken cancellationToken)
    {
        DeadLetter[] letters = [.. plan.Letters];
        foreach (BatchPart part in batch.Parts)
        {
            _counts.AddMessages(part.Partition.Topic, 0, 0);
        }

        await using var end = new NpgsqlBatch(_connection);
        await InsertAsync(letters, result, cancellationToken).ConfigureAwait(false);
        end.BatchCommands.Add(_counts.Update(Log));
        end.BatchCommands.Add(new("COMMIT"));
        await end.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        for (int index = 0; index < batch.Count; index++)
        {
            result.Dropped += plan[index] == Fate.Dropped ? 1 : 0;
            result.Repeated += plan[index] == Fate.Known ? 1 : 0;
        }
    }

    private async Task InsertAsync(DeadLetter[] letters, StoreResult result, CancellationToken cancellationToken)
    {
        for (int from = 0, to; from < letters.Length; from = to)
        {
            long bytes = 0;
            for (to = from; to < letters.Length && to - from < LettersPortion && (to == from || bytes < LettersBytes); to++)
            {
                bytes += letters[to].Content.Value?.Length ?? 0;
            }

            await using var insert = new NpgsqlBatch(_connection) { BatchCommands = { DeadLetterRows.Insert(options.SinkName, letters[from..to]) } };
            await using NpgsqlDataReader reader = await insert.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                result.Letters[(int)DeadLetter.KindOf(reader.GetString(0))]++;
            }
        }
    }

    private async Task RollBackAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("ROLLBACK", _connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
