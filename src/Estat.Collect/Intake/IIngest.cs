// The port between those who receive events (HTTP today) and those who keep them (this process, or a cluster).
using Estat.Base.Acks;
using Estat.Base.Threading;
using Estat.Collect.Batching;
using Estat.Collect.Events;

namespace Estat.Collect.Intake;

/// <summary>
/// Takes events. Spans and blocks are read before the call returns its task, which completes once the ack level is reached. Who awaits it may go on
/// on the thread that synced: what is slow or waits switches to <see cref="PoolThread"/> first, or the next sync waits for it.
/// </summary>
public interface IIngest
{
    /// <summary>
    /// Whether the next event of this level is sure to be refused, and how; asked before a body is read, so that a full node answers at once.
    /// The level must be one that the node offers; of a prefix (null is <c>RAW_PREFIX</c>) the partitions are its own.
    /// </summary>
    Admission Outlook(AckLevel level, string? prefix = null);

    /// <summary>Takes one event.</summary>
    ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level);

    /// <summary>An empty block, to be filled with the events of one request, which go below the prefix; null is <c>RAW_PREFIX</c>.</summary>
    LineBlock NewBlock(string? prefix = null);

    /// <summary>Takes all events of a block, or none. The block stays the caller's to dispose of.</summary>
    ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level);
}
