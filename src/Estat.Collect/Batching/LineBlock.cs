// The events of one request to /collect/batch, encoded apart from everybody else's, so that they enter a partition all at once or not at all.
using System.Diagnostics;
using Estat.Collect.Events;

namespace Estat.Collect.Batching;

/// <summary>Encoded lines in pooled chunks. Used by one request; disposing of it gives back what no partition has taken.</summary>
public sealed class LineBlock : IDisposable
{
    // Chunks are where a batch can end (a chunk belongs to one batch), so a batch ends at most this many events before BATCH_SIZE.
    private const int EventsPerChunk = 256;

    private readonly ChunkPool _pool;
    private readonly int _eventsPerChunk;
    private List<Chunk> _chunks = [];

    internal LineBlock(ChunkPool pool, int batchSize)
    {
        _pool = pool;
        _eventsPerChunk = Math.Clamp(batchSize, 1, EventsPerChunk);
    }

    /// <summary>Events in the block.</summary>
    public int Events { get; private set; }

    /// <summary>The key prefix of the objects that its events go to; null is <c>RAW_PREFIX</c>.</summary>
    public string? Prefix { get; init; }

    /// <summary>Traced requests of another node that brought its lines; null when there are none.</summary>
    internal IReadOnlyList<ActivityContext>? Requests { get; private set; }

    /// <summary>Memory that the block holds, bytes.</summary>
    public long BufferBytes { get; private set; }

    /// <summary>Encodes one more event.</summary>
    public void Add(in EventHeader header, ReadOnlySpan<byte> body)
    {
        int room = LineEncoder.MaxLength(header, body.Length);
        Chunk? chunk = _chunks.Count > 0 ? _chunks[^1] : null;
        if (chunk is null || chunk.Room < room || chunk.Events >= _eventsPerChunk)
        {
            TrimLast();
            chunk = _pool.Rent(room);
            _chunks.Add(chunk);
            BufferBytes += chunk.Buffer.Length;
        }

        chunk.Add(1, LineEncoder.Encode(header, body, chunk.Free));
        Events++;
    }

    /// <summary>Adds events that are encoded already: whole JSONL lines, each ended by a line feed, as another node's encoder made them.</summary>
    /// <param name="lines">The lines; copied.</param>
    /// <param name="events">How many they are, at least 1.</param>
    /// <param name="requests">Traced requests that brought them to the other node; null when there are none.</param>
    /// <exception cref="ArgumentException">They are not that many lines, or one of them is no JSON object; none was added.</exception>
    public void AddLines(ReadOnlySpan<byte> lines, int events, IReadOnlyList<ActivityContext>? requests = null)
    {
        CheckLines(lines, events);
        Requests = requests;
        while (!lines.IsEmpty)
        {
            int length = 0;
            int count = 0;
            do
            {
                int line = lines[length..].IndexOf((byte)'\n') + 1;
                if (count > 0 && length + line > ChunkPool.ChunkBytes)
                {
                    break;
                }

                length += line;
                count++;
            }
            while (count < _eventsPerChunk && length < lines.Length);

            TrimLast();
            Chunk chunk = _pool.Rent(length);
            lines[..length].CopyTo(chunk.Free);
            chunk.Add(count, length);
            _chunks.Add(chunk);
            BufferBytes += chunk.Buffer.Length;
            Events += count;
            lines = lines[length..];
        }
    }

    // A line that is none would make every later line of its batch unreadable; a count that is wrong, the seal.
    private static void CheckLines(ReadOnlySpan<byte> lines, int events)
    {
        int count = 0;
        for (ReadOnlySpan<byte> rest = lines; !rest.IsEmpty; count++)
        {
            int length = rest.IndexOf((byte)'\n');
            if (length < 2 || !JsonLine.IsObject(rest[..length]))
            {
                throw new ArgumentException($"line {count + 1} is not a JSON object", nameof(lines));
            }

            rest = rest[(length + 1)..];
        }

        if (count != events || count == 0)
        {
            throw new ArgumentException($"{count} lines, {events} were announced", nameof(events));
        }
    }

    /// <summary>What it holds now.</summary>
    internal IReadOnlyList<Chunk> Chunks => _chunks;

    /// <summary>The block's chunk when there is but one.</summary>
    internal Chunk? Only => _chunks.Count == 1 ? _chunks[0] : null;

    /// <summary>Size of the chunk that <see cref="TakeFlat"/> gives, bytes.</summary>
    internal long FlatBytes => Only?.Buffer.Length ?? Math.Max(ChunkPool.ChunkBytes, _chunks.Sum(chunk => (long)chunk.Length));

    /// <summary>Hands all lines over in one chunk; the block holds none afterwards.</summary>
    /// <exception cref="OverflowException">They are more than an array holds, 2 GB.</exception>
    internal Chunk TakeFlat()
    {
        if (Only is { } only)
        {
            _chunks = [];
            return only;
        }

        Chunk flat = _pool.Rent(checked((int)FlatBytes));
        foreach (Chunk chunk in _chunks)
        {
            chunk.Lines.Span.CopyTo(flat.Free);
            flat.Add(chunk.Events, chunk.Length);
        }

        Dispose();
        return flat;
    }

    /// <summary>Hands the chunks over; the block holds none afterwards.</summary>
    internal List<Chunk> TakeChunks()
    {
        List<Chunk> chunks = _chunks;
        _chunks = [];
        return chunks;
    }

    // A chunk of small events ends long before its memory does: what it does not use is given back, or 256 events would hold 256 KB.
    private void TrimLast()
    {
        if (_chunks.Count > 0 && _chunks[^1] is var full && full.Length <= full.Buffer.Length / 2)
        {
            var trimmed = new Chunk(full.Lines.ToArray());
            trimmed.Add(full.Events, full.Length);
            BufferBytes -= full.Buffer.Length - trimmed.Buffer.Length;
            _chunks[^1] = trimmed;
            _pool.Return(full);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Chunk chunk in TakeChunks())
        {
            _pool.Return(chunk);
        }
    }
}
