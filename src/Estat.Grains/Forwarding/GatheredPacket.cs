// A packet on this side: its events, and who waits for them.
using System.Collections.Concurrent;
using System.Diagnostics;
using Estat.Base.Metrics;
using Estat.Collect.Batching;

namespace Estat.Grains.Forwarding;

/// <summary>Filled under its partition's lock; then it belongs to the forwarder, and does not change any more.</summary>
internal sealed class GatheredPacket
{
    /// <summary>Its lines.</summary>
    internal Chunk Chunk { get; private set; } = null!;

    /// <summary>Events.</summary>
    internal int Events => Chunk.Events;

    /// <summary>Memory that it holds, bytes.</summary>
    internal int BufferBytes => Chunk.Buffer.Length;

    /// <summary>Who waits for its answer.</summary>
    internal List<AckWaiter> Waiters { get; } = [];

    /// <summary>Traced requests that brought its events; null when there are none.</summary>
    internal List<ActivityContext>? Requests { get; private set; }

    internal void Begin(Chunk chunk)
    {
        Chunk = chunk;
        Waiters.Clear();
        Requests = null; // who sends them may hold them still
    }

    internal Chunk End()
    {
        Chunk chunk = Chunk;
        Chunk = null!;
        Waiters.Clear();
        return chunk;
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

/// <summary>A gateway's packets; as many as were ever under way at once, with their chunks in <see cref="ChunkPool"/>.</summary>
internal sealed class PacketPool(ChunkPool chunks)
{
    private readonly ConcurrentBag<GatheredPacket> _idle = [];

    /// <summary>An empty packet with room for lines of at least <paramref name="least"/> bytes.</summary>
    internal GatheredPacket Rent(int least) => Of(chunks.Rent(least));

    /// <summary>A packet of a chunk that is filled already.</summary>
    internal GatheredPacket Of(Chunk chunk)
    {
        GatheredPacket packet = _idle.TryTake(out GatheredPacket? idle) ? idle : new GatheredPacket();
        packet.Begin(chunk);
        return packet;
    }

    /// <summary>Takes a packet back; nobody may hold it or its memory any more.</summary>
    internal void Return(GatheredPacket packet)
    {
        Chunk chunk = packet.End(); // or an idle packet would keep its memory for ever
        chunks.Return(chunk);
        _idle.Add(packet);
    }
}
