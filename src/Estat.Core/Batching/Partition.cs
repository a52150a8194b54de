// A partition: many requests append encoded lines, one writer turns them into batches.
using Estat.Core.Events;
using Estat.Core.Ingest;
using Estat.Core.Options;

namespace Estat.Core.Batching;

/// <summary>
/// A lane with one writer. Requests encode their event under a short lock into the chunk that is being filled; which batch an event belongs to
/// is decided there, so that an answer can name the batch. The writer (<see cref="RunAsync"/>) takes chunks in order and compresses them.
/// </summary>
/// <remarks>
/// Invariants: a chunk holds lines of one batch; chunks leave in the order in which they were filled; at most <c>CHANNEL_SIZE / PARTITIONS</c> events
/// and <c>CHANNEL_BYTES / PARTITIONS</c> bytes of chunks wait here or are being compressed. Durability hooks in between: the writer is where a chunk
/// is made durable before those who wait for it are told, one flush for all lines of a chunk.
/// </remarks>
internal sealed class Partition : IDisposable
{
    /// <summary>Blocks of up to this many bytes are copied, which takes some microseconds under the lock; larger ones are handed over whole.</summary>
    private const int CopiedBytes = 32 * 1024;

    private static readonly TimeSpan Never = Timeout.InfiniteTimeSpan;

    private readonly Lock _gate = new();
    private readonly Channel<Chunk> _ready = Channel.CreateUnbounded<Chunk>(new UnboundedChannelOptions { SingleReader = true });
    private readonly EstatOptions _options;
    private readonly ObjectKeys _keys;
    private readonly ChunkPool _chunks;
    private readonly BatchEncoder _encoder;
    private readonly Func<SealedBatch, ValueTask> _onSealed;
    private readonly TimeProvider _time;
    private readonly ITimer _flushTimer;
    private readonly int _maxEvents;
    private readonly long _maxBytes;
    private readonly int _handoverEvents;

    private Chunk? _filling;
    private OpenBatch? _open;
    private bool _closed;
    private long _waitingEvents;
    private long _waitingBytes;
    private long _acceptedEvents;
    private long _acceptedRequests;

    internal Partition(
        EstatOptions options, ObjectKeys keys, ChunkPool chunks, BatchEncoder encoder, Func<SealedBatch, ValueTask> onSealed, TimeProvider time)
    {
        _options = options;
        _keys = keys;
        _chunks = chunks;
        _encoder = encoder;
        _onSealed = onSealed;
        _time = time;
        _maxEvents = Math.Max(1, options.ChannelSize / options.Partitions);
        _maxBytes = Math.Max(2 * ChunkPool.ChunkBytes, options.ChannelBytes / options.Partitions);
        // A small CHANNEL_SIZE must not fill up while the writer idles over a half-filled chunk.
        _handoverEvents = Math.Max(1, _maxEvents / 4);
        _flushTimer = time.CreateTimer(static partition => ((Partition)partition!).Flush(FlushReason.Time), this, Never, Never);
    }

    /// <summary>Events taken since the start. Read without the lock: a moment old at the most.</summary>
    internal long AcceptedEvents => Volatile.Read(ref _acceptedEvents);

    /// <summary>Requests whose events were taken since the start.</summary>
    internal long AcceptedRequests => Volatile.Read(ref _acceptedRequests);

    /// <summary>Bytes of chunks that wait for the writer or are being compressed.</summary>
    internal long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Whether the next event would certainly be refused; lets a request be answered before its body is read.</summary>
    internal bool IsFull => Volatile.Read(ref _waitingEvents) >= _maxEvents || Volatile.Read(ref _waitingBytes) >= _maxBytes;

    /// <summary>Opening time of the batch that takes events now; null when there is none.</summary>
    internal DateTimeOffset? OldestOpen => Volatile.Read(ref _open)?.Opened;

    /// <summary>Appends an event unless another request holds the lane; then <paramref name="admission"/> says nothing.</summary>
    internal bool TryAppend(in EventHeader header, ReadOnlySpan<byte> body, out Admission admission)
    {
        if (!_gate.TryEnter())
        {
            admission = Admission.QueueFull;
            return false;
        }

        try
        {
            admission = AppendLocked(header, body);
            return true;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Appends an event, waiting for other requests that do the same.</summary>
    internal Admission Append(in EventHeader header, ReadOnlySpan<byte> body)
    {
        lock (_gate)
        {
            return AppendLocked(header, body);
        }
    }

    /// <summary>
    /// Takes lines that a request encoded on its own, all or none. More events than the whole lane may hold are taken when it is half empty
    /// at least: otherwise such a request could never succeed.
    /// </summary>
    internal Admission Append(LineBlock block)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return Admission.Draining;
            }

            if (!Fits(block.Events, _waitingEvents, _maxEvents))
            {
                return Admission.QueueFull;
            }

            if (block.Only is { Length: <= CopiedBytes } small)
            {
                return AppendCopy(small);
            }

            if (!Fits(block.BufferBytes, _waitingBytes, _maxBytes))
            {
                return Admission.QueueFull;
            }

            HandOver(null);
            foreach (Chunk chunk in block.TakeChunks())
            {
                SealIfOver(chunk.Events);
                _filling = chunk;
                _waitingBytes += chunk.Buffer.Length;
                chunk.Batch = Open();
                Count(chunk.Events, chunk.Length);
                HandOver(null);
            }

            _acceptedRequests++;
            return Admission.Accepted;
        }
    }

    /// <summary>Seals the open batch, if there is one.</summary>
    internal void Flush(FlushReason reason)
    {
        lock (_gate)
        {
            // A timer that fires late may meet a batch younger than the one it was set for.
            if (_open is not null && (reason != FlushReason.Time || _time.GetUtcNow() - _open.Opened >= _options.FlushInterval || ClockWentBack(_open)))
            {
                Seal(reason);
            }
            else if (_open is not null)
            {
                ArmTimer(_open);
            }
        }
    }

    /// <summary>Refuses further events and seals what there is; <see cref="RunAsync"/> ends once all of it was handed on.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            if (_open is not null)
            {
                Seal(FlushReason.Drain);
            }

            _ready.Writer.Complete();
        }
    }

    /// <summary>The writer: compresses chunks in order and hands sealed batches on. Waiting for room downstream is what fills the lane.</summary>
    internal async Task RunAsync()
    {
        await foreach (Chunk chunk in _ready.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (chunk.Events > 0)
            {
                _encoder.Append(chunk);
            }

            FlushReason? seals = chunk.Seals;
            int events = chunk.Events;
            int bytes = chunk.Buffer.Length;
            if (seals is { } reason)
            {
                await _onSealed(_encoder.Seal(reason)).ConfigureAwait(false);
            }

            lock (_gate)
            {
                _waitingEvents -= events;
                _waitingBytes -= bytes;
            }

            _chunks.Return(chunk);
        }
    }

    public void Dispose()
    {
        _flushTimer.Dispose();
        _encoder.Dispose();
    }

    private Admission AppendLocked(in EventHeader header, ReadOnlySpan<byte> body)
    {
        if (_closed)
        {
            return Admission.Draining;
        }

        int room = LineEncoder.MaxLength(header, body.Length);
        if (_waitingEvents >= _maxEvents || !TryMakeRoom(room))
        {
            return Admission.QueueFull;
        }

        Chunk chunk = _filling!;
        chunk.Batch ??= Open();
        AddToFilling(1, LineEncoder.Encode(header, body, chunk.Free));
        return Admission.Accepted;
    }

    // Few lines are copied into the shared chunk: handing over a chunk for each small request would use the lane's memory up with empty space.
    private Admission AppendCopy(Chunk lines)
    {
        SealIfOver(lines.Events);
        if (!TryMakeRoom(lines.Length))
        {
            return Admission.QueueFull;
        }

        Chunk chunk = _filling!;
        chunk.Batch ??= Open();
        lines.Lines.Span.CopyTo(chunk.Free);
        AddToFilling(lines.Events, lines.Length);
        return Admission.Accepted;
    }

    private void AddToFilling(int events, int length)
    {
        Chunk chunk = _filling!;
        chunk.Length += length;
        chunk.Events += events;
        Count(events, length);
        _acceptedRequests++;
        if (chunk == _filling && chunk.Events >= _handoverEvents)
        {
            HandOver(null);
        }
    }

    private void SealIfOver(int moreEvents)
    {
        if (_open is not null && _open.Events + moreEvents > _options.BatchSize)
        {
            Seal(FlushReason.Count);
        }
    }

    private static bool Fits(long amount, long waiting, long most) => waiting + amount <= most || (amount > most && waiting <= most / 2);

    private bool TryMakeRoom(int room)
    {
        if (_filling is not null && _filling.Room >= room)
        {
            return true;
        }

        HandOver(null);
        // An event whose bound exceeds the whole lane (a large MAX_BODY_SIZE) is taken when nothing else waits.
        if (!Fits(Math.Max(room, ChunkPool.ChunkBytes), _waitingBytes, _maxBytes))
        {
            return false;
        }

        _filling = _chunks.Rent(room);
        _waitingBytes += _filling.Buffer.Length;
        return true;
    }

    private OpenBatch Open()
    {
        if (_open is null)
        {
            DateTimeOffset now = _time.GetUtcNow();
            Volatile.Write(ref _open, new OpenBatch(_keys.Next(now), now));
            ArmTimer(_open);
        }

        return _open;
    }

    private void ArmTimer(OpenBatch batch)
    {
        TimeSpan left = _options.FlushInterval - (_time.GetUtcNow() - batch.Opened);
        _flushTimer.Change(left > TimeSpan.Zero && left <= _options.FlushInterval ? left : _options.FlushInterval, Never);
    }

    private bool ClockWentBack(OpenBatch batch) => _time.GetUtcNow() < batch.Opened;

    private void Count(int events, int length)
    {
        _waitingEvents += events;
        _acceptedEvents += events;
        OpenBatch batch = _open!;
        batch.Events += events;
        batch.Bytes += length;
        if (batch.Events >= _options.BatchSize)
        {
            Seal(FlushReason.Count);
        }
        else if (batch.Bytes >= _options.BatchBytes)
        {
            Seal(FlushReason.Bytes);
        }
    }

    private void Seal(FlushReason reason)
    {
        _filling ??= new Chunk([]);
        _filling.Batch ??= _open;
        HandOver(reason);
        Volatile.Write(ref _open, null);
        _flushTimer.Change(Never, Never);
    }

    // Passes the chunk being filled to the writer. One without lines only travels when it carries a seal.
    private void HandOver(FlushReason? seals)
    {
        if (_filling is { } chunk && (chunk.Events > 0 || seals is not null))
        {
            chunk.Seals = seals;
            _filling = null;
            _ready.Writer.TryWrite(chunk);
        }
        else if (_filling is { } unused)
        {
            _waitingBytes -= unused.Buffer.Length;
            _filling = null;
            _chunks.Return(unused);
        }
    }
}
