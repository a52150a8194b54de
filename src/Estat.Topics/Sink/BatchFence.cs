// How a batch's transaction begins: the fence, and what the database knows of the batch's messages.
using System.Security.Cryptography;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>One UPDATE of all the batch's partitions that holds only while their epoch and offset are what this sink knows.</summary>
/// <param name="connection">Without a transaction.</param>
/// <param name="batch">At least one message.</param>
/// <param name="owned">Its partitions, in the order of the batch's.</param>
/// <param name="options">The sink's name, and TOPICS_ORDER.</param>
internal sealed class BatchFence(NpgsqlConnection connection, SinkBatch batch, IReadOnlyList<OwnedPartition> owned, TopicsOptions options)
{
    private const string Fence = """
        UPDATE consumer_offsets AS o
        SET next_offset = b.next, high_offset = greatest(o.high_offset, b.next), last_id = b.last, updated_at = now()
        FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[]) AS b(topic, part, expected, next, epoch, last)
        WHERE o.sink = $1 AND o.topic = b.topic AND o."partition" = b.part AND o.next_offset = b.expected AND o.epoch = b.epoch
        """;

    // Batches share it, and replays, which let held messages go, have it alone: neither sees half of what the other does.
    private const string ShareHeld = "SELECT pg_advisory_xact_lock_shared(hashtextextended('estat-held/' || $1, 0))";

    private const string Held = """
        SELECT topic, key, "partition", min("offset"), min("timestamp") FROM dead_letters
        WHERE sink = $1 AND topic = ANY ($2) AND sha256(key) = ANY ($3) AND state = 'open' AND kind <> 'typed' AND key IS NOT NULL
        GROUP BY 1, 2, 3
        """;

    private const string KnownLetters = "SELECT id, kind = 'typed' FROM dead_letters WHERE sink = $1 AND id = ANY ($2)";

    private const string There = """
        SELECT m.id FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[]) AS b(topic, part, at, time)
        JOIN messages AS m ON m.topic = b.topic AND m."partition" = b.part AND m."offset" = b.at AND m."timestamp" = b.time
        """;

    /// <summary>Takes the lock that replays have while they work.</summary>
    /// <param name="sink">The sink's name.</param>
    internal static NpgsqlBatchCommand HoldAlone(string sink) =>
        new("SELECT pg_advisory_xact_lock(hashtextextended('estat-held/' || $1, 0))") { Parameters = { new() { Value = sink } } };

    /// <summary>Begins the transaction.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether the fence holds, and keys that are held; null: TOPICS_ORDER=go-on.</returns>
    internal async Task<(bool IsHolding, HeldKeys? Held)> BeginAsync(CancellationToken cancellationToken)
    {
        HeldKeys? held = options.Order == DeadLetterOrder.HoldKey ? new() : null;
        await using var begin = new NpgsqlBatch(connection) { BatchCommands = { new("BEGIN ISOLATION LEVEL READ COMMITTED"), FenceCommand() } };
        if (held is not null)
        {
            begin.BatchCommands.Add(new(ShareHeld) { Parameters = { new() { Value = options.SinkName } } });
            begin.BatchCommands.Add(HeldCommand());
        }

        await using (NpgsqlDataReader reader = await begin.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            // The lock's answer is the first.
            bool isRead = held is not null && await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            while (isRead && await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                held!.Add(
                    reader.GetFieldValue<byte[]>(1), new(reader.GetString(0), reader.GetInt32(2), reader.GetInt64(3)),
                    new DateTimeOffset(reader.GetFieldValue<DateTime>(4), TimeSpan.Zero).ToUnixTimeMilliseconds());
            }
        }

        return (begin.BatchCommands[1].RecordsAffected == batch.Parts.Count, held);
    }

    /// <summary>Which messages are dead letters already, and whether of typed rows.</summary>
    /// <param name="indexes">Those that may have been stored before.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<IReadOnlySet<(Guid Id, bool IsTyped)>> KnownAsync(IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        var known = new HashSet<(Guid, bool)>();
        if (indexes.Count == 0)
        {
            return known;
        }

        await using var command = new NpgsqlCommand(KnownLetters, connection)
        {
            Parameters = { new() { Value = options.SinkName }, new() { Value = indexes.Select(index => batch.Messages[index].Id).ToArray() } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            known.Add((reader.GetGuid(0), reader.GetBoolean(1)));
        }

        return known;
    }

    /// <summary>Which messages are stored already.</summary>
    /// <param name="indexes">Those that may have been.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<IReadOnlySet<Guid>> ThereAsync(IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        var there = new HashSet<Guid>();
        if (indexes.Count == 0)
        {
            return there;
        }

        await using var command = new NpgsqlCommand(There, connection)
        {
            Parameters =
            {
                new() { Value = indexes.Select(index => batch.PositionOf(batch.Messages[index]).Topic).ToArray() },
                new() { Value = indexes.Select(index => batch.PositionOf(batch.Messages[index]).Partition).ToArray() },
                new() { Value = indexes.Select(index => batch.Messages[index].Offset).ToArray() },
                new() { Value = indexes.Select(index => DateTimeOffset.FromUnixTimeMilliseconds(batch.Messages[index].Time).UtcDateTime).ToArray() },
            },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            there.Add(reader.GetGuid(0));
        }

        return there;
    }

    private NpgsqlBatchCommand FenceCommand()
    {
        var last = new Guid[batch.Parts.Count];
        foreach (ref readonly BatchMessage message in batch.Messages)
        {
            last[message.Part] = message.Id;
        }

        return new(Fence)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, new() { Value = owned.Select(part => part.Partition.Topic).ToArray() },
                new() { Value = owned.Select(part => part.Partition.Partition).ToArray() },
                new() { Value = owned.Select(part => part.Next).ToArray() }, new() { Value = batch.Parts.Select(part => part.Next).ToArray() },
                new() { Value = owned.Select(part => part.Epoch ?? -1).ToArray() }, new() { Value = last },
            },
        };
    }

    private NpgsqlBatchCommand HeldCommand()
    {
        var hashes = new HashSet<string>();
        ReadOnlySpan<BatchMessage> messages = batch.Messages;
        for (int index = 0; index < messages.Length; index++)
        {
            if (batch.KeyOf(messages[index]) is { } key)
            {
                hashes.Add(Convert.ToHexString(SHA256.HashData(key.Span)));
            }
        }

        return new(Held)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, new() { Value = batch.Parts.Select(part => part.Partition.Topic).Distinct().ToArray() },
                new() { Value = hashes.Select(Convert.FromHexString).ToArray() },
            },
        };
    }
}
