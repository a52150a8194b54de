// Sends what a spool writer is about to sync to the partners of its batches, at the same time.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;

namespace Estat.Grains.Replication;

/// <summary>One partition's.</summary>
internal sealed class GroupReplication(ReplicatedBatches batches, Partition partition) : IGroupCopies
{
    private readonly List<(OpenBatch Batch, ReplicatedBatch Replicated, int Events, Task<string?> Call)> _calls = [];
    private readonly HashSet<OpenBatch> _held = [];

    /// <inheritdoc/>
    public void Begin(List<ChunkLines> group, HashSet<Chunk> refused)
    {
        _calls.Clear();
        _held.Clear();
        for (int i = 0; i < group.Count;)
        {
            OpenBatch? batch = group[i].Batch;
            int first = i;
            while (i < group.Count && group[i].Batch == batch)
            {
                i++;
            }

            ChunkLines[] taken = [.. group[first..i].Where(lines => lines.Events > 0 && !refused.Contains(lines.Chunk))];
            if (taken.Length > 0)
            {
                Send(batch!, taken);
            }
        }
    }

    /// <inheritdoc/>
    public void End()
    {
        foreach ((OpenBatch batch, ReplicatedBatch replicated, int events, Task<string?> call) in _calls)
        {
            string? failure = call.GetAwaiter().GetResult(); // this thread is the writer's own, and has nothing else to do
            if (failure is null)
            {
                replicated.OnHeld(events);
                _held.Add(batch);
            }
            else
            {
                batches.OnFailed(replicated, failure);
                partition.EndBatch(batch, FlushReason.PartnerLost);
            }
        }
    }

    /// <inheritdoc/>
    public AckLevel? LevelOf(OpenBatch batch) =>
        _held.Contains(batch) ? AckLevel.Replica
        : batches.MayDegrade ? AckLevel.Disk
        : null;

    private void Send(OpenBatch batch, ChunkLines[] taken)
    {
        ReplicatedBatch replicated = batches.Of(batch, partition);
        if (!replicated.IsLost)
        {
            int events = taken.Sum(lines => lines.Events);
            _calls.Add((batch, replicated, events, HoldAsync(replicated, taken.Length == 1 ? taken[0].Lines : Joined(taken), events)));
        }
        else if (replicated.Partner is not null)
        {
            partition.EndBatch(batch, FlushReason.PartnerLost);
        }
    }

    // Null when they are held; otherwise why nobody may rely on it.
    private static async Task<string?> HoldAsync(ReplicatedBatch batch, ReadOnlyMemory<byte> lines, int events)
    {
        try
        {
            return await batch.HoldAsync(lines, events).ConfigureAwait(false) == ReplicaAnswer.Held ? null : "it takes no more of this batch";
        }
        catch (Exception error)
        {
            return error.Message;
        }
    }

    private static byte[] Joined(ChunkLines[] taken)
    {
        var joined = new byte[taken.Sum(lines => lines.Lines.Length)];
        int at = 0;
        foreach (ChunkLines lines in taken)
        {
            lines.Lines.CopyTo(joined.AsMemory(at));
            at += lines.Lines.Length;
        }

        return joined;
    }
}
