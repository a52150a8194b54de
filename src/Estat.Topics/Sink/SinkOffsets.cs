// Where the sink goes on: what the operator may change of it.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>What a reset does to a partition.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Next">Where the sink goes on now.</param>
/// <param name="Target">Where it shall go on.</param>
internal readonly record struct ResetStep(TopicPartition Partition, long Next, long Target)
{
    /// <summary>Messages that are read again; those that are stored stay as they are.</summary>
    internal long Again => Math.Max(0, Next - Target);

    /// <summary>Messages that are passed over, and not stored.</summary>
    internal long PassedOver => Math.Max(0, Target - Next);
}

/// <summary>A running sink sees a change at its next batch, where the fence does not hold, or after some seconds. Any thread.</summary>
/// <param name="source">Connections.</param>
/// <param name="log">The log.</param>
/// <param name="options">The sink's name.</param>
internal sealed class SinkOffsets(NpgsqlDataSource source, ITopicLog log, TopicsOptions options)
{
    private const string Select =
        "SELECT topic, \"partition\", next_offset, log_id, last_id FROM consumer_offsets "
        + "WHERE sink = $1 AND ($2::text = '' OR topic = $2) ORDER BY 1, 2";

    private const string Move = """
        UPDATE consumer_offsets AS o SET next_offset = p.target, log_id = $5, last_id = NULL, updated_at = now()
        FROM unnest($2::text[], $3::int[], $4::bigint[]) AS p(topic, part, target)
        WHERE o.sink = $1 AND o.topic = p.topic AND o."partition" = p.part AND ($6 OR o.log_id = $5)
        """;

    /// <summary>What a reset of a whole topic would do.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="find">The offset for each partition; brought within what the log has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<IReadOnlyList<ResetStep>> PlanAsync(
        string topic, Func<TopicPartition, CancellationToken, ValueTask<long>> find, CancellationToken cancellationToken)
    {
        var steps = new List<ResetStep>();
        foreach ((TopicPartition partition, long next, _, _) in await ReadAsync(topic, cancellationToken).ConfigureAwait(false))
        {
            steps.Add(new(partition, next, Bound(partition, await find(partition, cancellationToken).ConfigureAwait(false))));
        }

        return steps;
    }

    /// <summary>Does what a plan says. It waits for a batch that is being stored.</summary>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="cancellationToken">Ends it; all of it is done then, or nothing.</param>
    /// <returns>Partitions that were reset: none of those that the sink has not begun with, or that belong to another log.</returns>
    internal Task<int> ResetAsync(IReadOnlyList<ResetStep> plan, CancellationToken cancellationToken) =>
        MoveAsync(plan, isAdopting: false, cancellationToken);

    /// <summary>
    /// Goes on with this log, where the database knows another one, one that was longer, or one that had another message there: those partitions go
    /// on from the log's start. What is stored stays, and is not stored twice where the log still has it.
    /// </summary>
    /// <param name="cancellationToken">Ends it; all of it is done then, or nothing.</param>
    /// <returns>What changed. A sink that stopped for it goes on when the caller resumes it.</returns>
    internal async Task<IReadOnlyList<ResetStep>> AdoptAsync(CancellationToken cancellationToken)
    {
        var steps = new List<ResetStep>();
        foreach ((TopicPartition partition, long next, string logId, Guid? lastId) in await ReadAsync("", cancellationToken).ConfigureAwait(false))
        {
            LogPartition? bounds = log.BoundsOf(partition);
            if (logId != log.Id || (bounds is { } known && known.End < next)
                || await LastStored.IsAnotherAsync(log, partition, next, lastId, cancellationToken).ConfigureAwait(false))
            {
                steps.Add(new(partition, next, bounds?.Start ?? 0));
            }
        }

        await MoveAsync(steps, isAdopting: true, cancellationToken).ConfigureAwait(false);
        return steps;
    }

    private async Task<List<(TopicPartition Partition, long Next, string LogId, Guid? LastId)>> ReadAsync(
        string topic, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(Select, connection)
        {
            Parameters = { new() { Value = options.SinkName }, new() { Value = topic } },
        };
        var rows = new List<(TopicPartition, long, string, Guid?)>();
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows.Add((
                new(reader.GetString(0), reader.GetInt32(1)),
                reader.GetInt64(2), reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetGuid(4)));
        }

        return rows;
    }

    private async Task<int> MoveAsync(IReadOnlyList<ResetStep> steps, bool isAdopting, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(Move, connection)
        {
            Parameters =
            {
                new() { Value = options.SinkName }, new() { Value = steps.Select(step => step.Partition.Topic).ToArray() },
                new() { Value = steps.Select(step => step.Partition.Partition).ToArray() },
                new() { Value = steps.Select(step => step.Target).ToArray() }, new() { Value = log.Id },
                new() { Value = isAdopting },
            },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private long Bound(TopicPartition partition, long offset) =>
        log.BoundsOf(partition) is { } bounds ? Math.Clamp(offset, bounds.Start, Math.Max(bounds.Start, bounds.End)) : offset;
}
