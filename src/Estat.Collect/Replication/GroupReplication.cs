// Sends what a spool writer is about to flush to the partners of its batches, at the same time.
using Estat.Base.Acks;
using Estat.Collect.Batching;

namespace Estat.Collect.Replication;

/// <summary>One partition's, used by its spool writer's thread: <see cref="Begin"/>, then the flush, then <see cref="End"/>.</summary>
internal sealed class GroupReplication(ReplicatedBatches batches, Partition partition)
{
    private readonly List<(OpenBatch Batch, int Events, Task<string?> Call)> _calls = [];
    private readonly HashSet<OpenBatch> _held = [];

    /// <summary>Sends the group's records, but for the chunks that the disk refused.</summary>
    internal void Begin(List<TakenLines> group, HashSet<Chunk> refused)
    {
        _calls.Clear();
        _held.Clear();
        for (int i = 0; i < group.Count;)
        {
            OpenBatch? batch = group[i].Chunk.Batch;
            int first = i;
            while (i < group.Count && group[i].Chunk.Batch == batch)
            {
                i++;
            }

            TakenLines[] taken = [.. group[first..i].Where(lines => lines.Events > 0 && !refused.Contains(lines.Chunk))];
            if (taken.Length > 0)
            {
                Send(batch!, taken);
            }
        }
    }

    /// <summary>Waits for the partners' answers. A batch whose partner did not say that it holds everything is ended.</summary>
    internal void End()
    {
        foreach ((OpenBatch batch, int events, Task<string?> call) in _calls)
        {
            string? failure = call.GetAwaiter().GetResult(); // this thread is the writer's own, and has nothing else to do
            if (failure is null)
            {
                batch.Replicated!.OnHeld(events);
                _held.Add(batch);
            }
            else
            {
                batches.OnFailed(batch.Replicated!, failure);
                partition.EndBatch(batch, FlushReason.PartnerLost);
            }
        }
    }

    /// <summary>What events of the batch that were flushed here may be acknowledged at; null when they may not be.</summary>
    internal AckLevel? LevelOf(OpenBatch batch) =>
        _held.Contains(batch) ? AckLevel.Replica
        : batches.MayDegrade ? AckLevel.Disk
        : null;

    private void Send(OpenBatch batch, TakenLines[] taken)
    {
        batch.Replicated ??= batches.Open(batch, reason => partition.EndBatch(batch, reason));
        if (!batch.Replicated.IsLost)
        {
            int events = taken.Sum(lines => lines.Events);
            _calls.Add((batch, events, HoldAsync(batch.Replicated, taken.Length == 1 ? taken[0].Lines : Joined(taken), events)));
        }
        else if (batch.Replicated.Partner is not null)
        {
            partition.EndBatch(batch, FlushReason.PartnerLost);
        }
    }

    // Null when they are held; otherwise why nobody may rely on it.
    private static async Task<string?> HoldAsync(ReplicatedBatch batch, ReadOnlyMemory<byte> lines, int events)
    {
        try
        {
            return await batch.HoldAsync(lines, events).ConfigureAwait(false) == ReplicaAnswer.Held ? null : "it refuses more";
        }
        catch (Exception error)
        {
            return error.Message;
        }
    }

    private static byte[] Joined(TakenLines[] taken)
    {
        var joined = new byte[taken.Sum(lines => lines.Lines.Length)];
        int at = 0;
        foreach (TakenLines lines in taken)
        {
            lines.Lines.CopyTo(joined.AsMemory(at));
            at += lines.Lines.Length;
        }

        return joined;
    }
}
