// Takes events into this process' partitions.
using Estat.Core.Batching;
using Estat.Core.Events;

namespace Estat.Core.Ingest;

/// <summary>
/// Fills the first lane that is free and has room, so that a quiet node writes few, large objects and a busy one uses all its cores: a lane that is
/// busy or full passes the event on to the next.
/// </summary>
internal sealed class LocalIngest(Partition[] partitions, ChunkPool chunks, int batchSize, string level, Func<bool> storageIsFull) : IIngest
{
    private volatile bool _draining;

    /// <inheritdoc/>
    public Admission Outlook
    {
        get
        {
            if (_draining)
            {
                return Admission.Draining;
            }

            if (storageIsFull())
            {
                return Admission.StorageFull;
            }

            foreach (Partition partition in partitions)
            {
                if (!partition.IsFull)
                {
                    return Admission.Accepted;
                }
            }

            return Admission.QueueFull;
        }
    }

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body) => ValueTask.FromResult(ToAck(Append(header, body)));

    /// <inheritdoc/>
    public LineBlock NewBlock() => new(chunks, batchSize);

    /// <inheritdoc/>
    public ValueTask<Ack> AcceptAsync(LineBlock block)
    {
        Admission admission = Admission.QueueFull;
        foreach (Partition partition in partitions)
        {
            admission = partition.Append(block);
            if (admission != Admission.QueueFull)
            {
                break;
            }
        }

        return ValueTask.FromResult(ToAck(admission));
    }

    /// <summary>Newcomers are turned away from now on; requests already past <see cref="Outlook"/> are still taken until the partitions close.</summary>
    internal void BeginDrain() => _draining = true;

    private Admission Append(in EventHeader header, ReadOnlySpan<byte> body)
    {
        Partition? busy = null;
        foreach (Partition partition in partitions)
        {
            if (!partition.TryAppend(header, body, out Admission admission))
            {
                busy ??= partition;
            }
            else if (admission != Admission.QueueFull)
            {
                return admission;
            }
        }

        return busy is null ? Admission.QueueFull : busy.Append(header, body);
    }

    private Ack ToAck(Admission admission) => new(admission, admission == Admission.Accepted ? level : "");
}
