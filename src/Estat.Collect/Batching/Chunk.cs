// A block of encoded lines on its way from the requests to the writers of a partition.
using System.Diagnostics;
using Estat.Base.Metrics;
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>
/// Whole lines of one batch, in order. Filled under its partition's lock (or by one request alone), then handed to the partition's writers, the last
/// of which returns it to the pool. A chunk never holds lines of two batches. Above <c>memory</c> it is synced in pieces while it is still being
/// filled: what lies before <see cref="TakenLength"/> does not change any more.
/// </summary>
internal sealed class Chunk(byte[] buffer)
{
    internal byte[] Buffer { get; } = buffer;

    /// <summary>Bytes of encoded lines.</summary>
    internal int Length { get; set; }

    /// <summary>Lines.</summary>
    internal int Events { get; set; }

    /// <summary>The batch that the lines belong to; set when the chunk enters a partition.</summary>
    internal OpenBatch? Batch { get; set; }

    /// <summary>Whether the batch ends with this chunk, and why.</summary>
    internal FlushReason? Seals { get; set; }

    /// <summary>Bytes that the partition's spool writer has taken to sync.</summary>
    internal int TakenLength { get; set; }

    /// <summary>Lines that it has taken.</summary>
    internal int TakenEvents { get; set; }

    /// <summary>Bytes that were synced. The rest was refused by the disk and is in no batch. The spool writer's own until the chunk leaves
    /// it.</summary>
    internal int SyncedLength { get; set; }

    /// <summary>Lines that were synced.</summary>
    internal int SyncedEvents { get; set; }

    /// <summary>Who waits for the sync of lines that were not taken yet.</summary>
    internal List<AckWaiter> Waiters { get; } = [];

    /// <summary>At a gateway: traced requests that brought its lines; null when there are none.</summary>
    internal List<ActivityContext>? Requests { get; private set; }

    internal int Room => Buffer.Length - Length;

    internal ReadOnlyMemory<byte> Lines => Buffer.AsMemory(0, Length);

    internal Span<byte> Free => Buffer.AsSpan(Length);

    internal void Reset()
    {
        Length = 0;
        Events = 0;
        Batch = null;
        Seals = null;
        TakenLength = 0;
        TakenEvents = 0;
        SyncedLength = 0;
        SyncedEvents = 0;
        Waiters.Clear();
        Requests = null; // whoever sends them may hold them still
    }

    /// <summary>Notes the request that is being handled, if it is a traced one.</summary>
    internal void NoteRequest()
    {
        if (EstatActivities.CurrentRequest is { } request && (Requests ??= []).Count < EstatActivities.MostLinks)
        {
            Requests.Add(request);
        }
    }
}
