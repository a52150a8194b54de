// Takes events into this process' partitions.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Events;

namespace Estat.Collect.Intake;

/// <summary>
/// Each level has partitions of its own. At <c>memory</c> the first that is free and has room gets the event, so that a quiet node writes few, large
/// objects and a busy one uses all its cores: a partition that is busy or full passes the event on to the next. Above it the first whose writers keep
/// up gets it.
/// </summary>
/// <param name="partitions">The partitions of each level, by its number; none for a level that is not offered.</param>
/// <param name="prefixed">The partitions of prefixes other than <c>RAW_PREFIX</c>.</param>
/// <param name="chunks">Where blocks get their chunks.</param>
/// <param name="batchSize"><c>BATCH_SIZE</c>.</param>
/// <param name="storedMaxWait"><c>STORED_MAX_WAIT</c>.</param>
/// <param name="trouble">What keeps the node from taking events of a level, apart from its partitions; null when nothing does.</param>
/// <param name="time">The clock of those who wait for the store.</param>
internal sealed class LocalIngest(
    Partition[][] partitions, PrefixPartitions<Partition> prefixed, ChunkPool chunks, int batchSize, TimeSpan storedMaxWait, Func<AckLevel,
    Admission?> trouble, TimeProvider time) : IIngest
{
    private volatile bool _draining;

    /// <inheritdoc/>
    public Admission Outlook(AckLevel level, string? prefix = null)
    {
        if (_draining)
        {
            return Admission.Draining;
        }

        if (trouble(level) is { } reason)
        {
            return reason;
        }

        Partition[] its = prefix is null ? partitions[(int)level] : prefixed.Find(prefix, level);
        foreach (Partition partition in its)
        {
            if (!partition.IsFull)
            {
                return Admission.Accepted;
            }
        }

        // Partitions of a prefix are made with its first event.
        return prefix is not null && its.Length == 0 ? Admission.Accepted : Admission.QueueFull;
    }

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level)
    {
        Partition[] its = partitions[(int)level];
        if (header.Prefix is { } prefix && prefixed.TryOpen(prefix, level, out its) is var opened && opened != Admission.Accepted)
        {
            return Refused(opened);
        }

        Appended appended = level == AckLevel.Memory ? AppendToFree(header, body, its) : AppendToFirst(header, body, its);
        return appended.Admission != Admission.Accepted ? Refused(appended.Admission)
            : level == AckLevel.Stored ? WhenStoredAsync(appended.Ack, [appended.Batch!])
            : appended.Ack;
    }

    /// <inheritdoc/>
    public LineBlock NewBlock(string? prefix = null) => new(chunks, batchSize) { Prefix = prefix };

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level)
    {
        Partition[] its = partitions[(int)level];
        if (block.Prefix is { } prefix && prefixed.TryOpen(prefix, level, out its) is var opened && opened != Admission.Accepted)
        {
            return Refused(opened);
        }

        List<OpenBatch>? batches = level == AckLevel.Stored ? [] : null;
        var admission = Admission.QueueFull;
        foreach (Partition partition in its)
        {
            Appended appended = partition.Append(block, batches);
            admission = appended.Admission;
            if (admission == Admission.Accepted)
            {
                return batches is null ? appended.Ack : WhenStoredAsync(appended.Ack, batches);
            }

            if (admission != Admission.QueueFull)
            {
                break;
            }
        }

        return Refused(admission);
    }

    /// <summary>New requests are turned away from now on; requests already past <see cref="Outlook"/> are still taken until the partitions
    /// close.</summary>
    internal void BeginDrain() => _draining = true;

    private static ValueTask<Ack> Refused(Admission admission) => ValueTask.FromResult(new Ack(admission, AckLevel.Memory, ""));

    // A sync costs the same whatever it carries: another partition is worth its syncs only when the first one's writers lag behind.
    private static Appended AppendToFirst(in EventHeader header, ReadOnlySpan<byte> body, Partition[] partitions)
    {
        foreach (Partition partition in partitions)
        {
            if (!partition.IsHalfFull)
            {
                return partition.Append(header, body);
            }
        }

        return AppendToFree(header, body, partitions);
    }

    private static Appended AppendToFree(in EventHeader header, ReadOnlySpan<byte> body, Partition[] partitions)
    {
        Partition? busy = null;
        foreach (Partition partition in partitions)
        {
            if (!partition.TryAppend(header, body, out Appended appended))
            {
                busy ??= partition;
            }
            else if (appended.Admission != Admission.QueueFull)
            {
                return appended;
            }
        }

        return busy is null ? new Appended(Admission.QueueFull) : busy.Append(header, body);
    }

    // A batch leaves within STORED_MAX_WAIT of its first event, and its upload may take as long again. What is not stored by then is on the disk.
    private async ValueTask<Ack> WhenStoredAsync(ValueTask<Ack> synced, List<OpenBatch> batches)
    {
        long started = time.GetTimestamp();
        Ack ack = await synced.ConfigureAwait(false);
        if (!ack.IsAccepted)
        {
            return ack;
        }

        try
        {
            Task<bool[]> stored = Task.WhenAll(batches.Select(batch => batch.Outcome!.Task));
            TimeSpan left = (2 * storedMaxWait) - time.GetElapsedTime(started);
            bool all = (await stored.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time).ConfigureAwait(false)).All(isStored => isStored);
            return all ? ack with { Level = AckLevel.Stored } : ack;
        }
        catch (TimeoutException)
        {
            return ack;
        }
    }
}
