// What PostgreSQL knows of topics: topic_status and consumer_offsets.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Querying;

/// <summary>A row of <c>topic_status</c>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">The topic.</param>
/// <param name="Partitions">Its partitions, as the sink last saw them.</param>
/// <param name="ReplicationFactor">Copies in the log.</param>
/// <param name="IsActive">Whether it is one.</param>
/// <param name="LastMessageAt">Time of the newest message that is stored; null without.</param>
/// <param name="Messages">Messages that were stored.</param>
/// <param name="Typed">Typed rows that were stored.</param>
/// <param name="CreatedAt">When the row was made.</param>
/// <param name="UpdatedAt">When it changed.</param>
internal sealed record TopicStatus(
    Guid Id, string Name, int Partitions, int ReplicationFactor, bool IsActive, DateTimeOffset? LastMessageAt, long Messages, long Typed,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>All of it at one moment.</summary>
/// <param name="Topics">By name.</param>
/// <param name="NextOffsets">Where the sink goes on in each partition.</param>
internal sealed record TopicTableRows(IReadOnlyDictionary<string, TopicStatus> Topics, IReadOnlyDictionary<TopicPartition, long> NextOffsets)
{
    /// <summary>Where the sink goes on in a partition: where nothing is stored yet, all that is there waits.</summary>
    /// <param name="which">The partition.</param>
    /// <param name="bounds">Its bounds in the log.</param>
    internal long NextOf(TopicPartition which, LogPartition bounds) => NextOffsets.TryGetValue(which, out long next) ? next : bounds.Start;
}

/// <summary>A look at the database, which may be away.</summary>
/// <param name="Rows">What it has; null while it is away.</param>
/// <param name="State"><c>there</c>, <c>away</c> or <c>not-set</c>.</param>
/// <param name="Why">Why it is away; null while it is there.</param>
internal sealed record TopicTableLook(TopicTableRows? Rows, string State, string? Why);

/// <summary>Reads both; they have a row for each topic and for each partition, whatever the number of messages.</summary>
/// <param name="database">The connections.</param>
/// <param name="sink">The sink's name.</param>
internal sealed class TopicStatusTable(QueryDatabase database, string sink)
{
    private const string Topics = """
        SELECT id, topic_name, partition_count, replication_factor, is_active, last_message_at, message_count, typed_count, created_at, updated_at
        FROM topic_status
        """;

    private const string Offsets = "SELECT topic, \"partition\", next_offset FROM consumer_offsets WHERE sink = $1";

    /// <summary>Reads them.</summary>
    /// <exception cref="QueryException">They cannot be read now.</exception>
    internal Task<TopicTableRows> ReadAsync(CancellationToken cancellationToken) => database.RunAsync(
        async (connection, cancellation) =>
        {
            Dictionary<string, TopicStatus> topics = await ReadTopicsAsync(connection, cancellation).ConfigureAwait(false);
            return new TopicTableRows(topics, await ReadOffsetsAsync(connection, cancellation).ConfigureAwait(false));
        },
        cancellationToken);

    /// <summary>The same; a database that cannot be read is away.</summary>
    internal async Task<TopicTableLook> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new(await ReadAsync(cancellationToken).ConfigureAwait(false), "there", null);
        }
        catch (QueryException error)
        {
            return new(null, error.Fault == QueryFault.NotSet ? "not-set" : "away", error.Message);
        }
    }

    private static async Task<Dictionary<string, TopicStatus>> ReadTopicsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var topics = new Dictionary<string, TopicStatus>(StringComparer.Ordinal);
        var command = new NpgsqlCommand(Topics, connection);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    string name = rows.GetString(1);
                    topics[name] = new TopicStatus(
                        rows.GetGuid(0), name, rows.GetInt32(2), rows.GetInt32(3), rows.GetBoolean(4), rows.IsDBNull(5) ? null : TimeOf(rows, 5),
                        rows.GetInt64(6), rows.GetInt64(7), TimeOf(rows, 8), TimeOf(rows, 9));
                }
            }
        }

        return topics;
    }

    private async Task<Dictionary<TopicPartition, long>> ReadOffsetsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var offsets = new Dictionary<TopicPartition, long>();
        var command = new NpgsqlCommand(Offsets, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = sink, NpgsqlDbType = NpgsqlDbType.Text });
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    offsets[new TopicPartition(rows.GetString(0), rows.GetInt32(1))] = rows.GetInt64(2);
                }
            }
        }

        return offsets;
    }

    private static DateTimeOffset TimeOf(NpgsqlDataReader row, int index) => new(row.GetFieldValue<DateTime>(index));
}
