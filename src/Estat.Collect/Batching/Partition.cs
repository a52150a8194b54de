// A partition: many requests append encoded lines, its writers turn them into batches.
using Estat.Base.Acks;
using Estat.Base.Journal;
using Estat.Base.Metrics;
using Estat.Collect.Events;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Batching;

/// <summary>
/// A partition of one ack level. Requests encode their event under a short lock into the chunk that is being filled; which batch an event belongs to
/// is decided there, so that an answer can name the batch. Full chunks leave for the partition's writers: at <c>memory</c> the
/// <see cref="BatchWriter"/> alone; above it first the <see cref="SpoolWriter"/>, which also takes what gathers in a chunk that is not full,
/// as requests wait for its sync.
/// </summary>
/// <remarks>
/// Invariants: a chunk holds lines of one batch; chunks leave in the order in which they were filled; the chunks
/// of at most <c>CHANNEL_SIZE / PARTITIONS</c> requests, with <c>CHANNEL_BYTES / PARTITIONS</c> bytes, wait here, are being synced or compressed.
/// </remarks>
internal sealed partial class Partition : IDisposable
{
    private static readonly TimeSpan Never = Timeout.InfiniteTimeSpan;

    private readonly Lock _gate = new();
    private readonly Channel<ChunkLines> _ready = Channel.CreateUnbounded<ChunkLines>(new UnboundedChannelOptions { SingleReader = true });
    private readonly GroupCommit _groupCommit = new();
    private readonly FillingChunk _filling = new();
    private readonly CollectOptions _options;
    private readonly ObjectKeys _keys;
    private readonly ChunkPool _chunks;
    private readonly AckWaiterPool? _waiters;
    private readonly TimeProvider _time;
    private readonly ITimer _flushTimer;
    private readonly int _maxRequests;
    private readonly long _maxBytes;
    private readonly int _handoverRequests;
    private readonly bool _isAwaited;

    private OpenBatch? _open;
    private bool _closed;
    private long _waitingRequests;
    private long _waitingBytes;
    private long _acceptedEvents;
    private long _acceptedRequests;
    private long _lastSeal = long.MinValue;

    /// <param name="level">What its events are acknowledged at.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="keys">The node's keys.</param>
    /// <param name="chunks">The node's chunks.</param>
    /// <param name="waiters">The node's waiters; needed above <c>memory</c>.</param>
    /// <param name="time">Clock and timer.</param>
    internal Partition(AckLevel level, CollectOptions options, ObjectKeys keys, ChunkPool chunks, AckWaiterPool? waiters, TimeProvider time)
    {
        Level = level;
        _options = options;
        _keys = keys;
        _chunks = chunks;
        _waiters = level == AckLevel.Memory ? null : waiters;
        _isAwaited = level == AckLevel.Stored;
        _time = time;
        _maxRequests = Math.Max(1, options.ChannelSize / options.Partitions);
        _maxBytes = Math.Max(2 * ChunkPool.ChunkBytes, options.ChannelBytes / options.Partitions);
        // A small CHANNEL_SIZE must not fill up while the writer idles over a half-filled chunk.
        _handoverRequests = Math.Max(1, _maxRequests / 4);
        _flushTimer = time.CreateTimer(static partition => ((Partition)partition!).OnTimer(), this, Never, Never);
    }

    /// <summary>What its events are acknowledged at. <see cref="AckLevel.Stored"/>: at most one batch per <c>STORED_MAX_WAIT</c>, the first at
    /// once.</summary>
    internal AckLevel Level { get; }

    /// <summary>Chunks that are full, or whose batch ended, in order.</summary>
    internal ChannelReader<ChunkLines> Ready => _ready.Reader;

    /// <summary>Events acknowledged since the start. Read without the lock: a moment old at the most.</summary>
    internal long AcceptedEvents => Volatile.Read(ref _acceptedEvents);

    /// <summary>Requests whose events were acknowledged since the start.</summary>
    internal long AcceptedRequests => Volatile.Read(ref _acceptedRequests);

    /// <summary>Bytes of chunks that wait for the writers or are with them.</summary>
    internal long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Whether the next event would certainly be refused; lets a request be answered before its body is read.</summary>
    internal bool IsFull => Volatile.Read(ref _waitingRequests) >= _maxRequests || Volatile.Read(ref _waitingBytes) >= _maxBytes;

    /// <summary>Whether its writers lag behind.</summary>
    internal bool IsHalfFull => Volatile.Read(ref _waitingRequests) > _maxRequests / 2 || Volatile.Read(ref _waitingBytes) > _maxBytes / 2;

    /// <summary>Opening time of the batch that takes events now; null when there is none.</summary>
    internal DateTimeOffset? OldestOpen => Volatile.Read(ref _open)?.Opened;

    /// <summary>Appends an event unless another request holds the partition; then the result says nothing.</summary>
    internal bool TryAppend(in EventHeader header, ReadOnlySpan<byte> body, out Appended appended)
    {
        if (!_gate.TryEnter())
        {
            appended = default;
            return false;
        }

        bool wake;
        try
        {
            appended = AppendLocked(header, body);
            wake = _groupCommit.TakeWake();
        }
        finally
        {
            _gate.Exit();
        }

        _groupCommit.Wake(wake);
        return true;
    }

    /// <summary>Appends an event, waiting for other requests that do the same.</summary>
    internal Appended Append(in EventHeader header, ReadOnlySpan<byte> body)
    {
        Appended appended;
        bool wake;
        lock (_gate)
        {
            appended = AppendLocked(header, body);
            wake = _groupCommit.TakeWake();
        }

        _groupCommit.Wake(wake);
        return appended;
    }

    /// <summary>Seals the open batch, if there is one.</summary>
    /// <returns>Its events; null if there was none.</returns>
    internal long? Flush(FlushReason reason)
    {
        long? events;
        lock (_gate)
        {
            events = _open?.Events;
            if (_open is not null)
            {
                Seal(reason);
            }
        }

        _groupCommit.Wake(TakeWakeLocked());
        return events;
    }

    /// <summary>Refuses further events and seals what there is; the writers end once all of it was handed on.</summary>
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

            _groupCommit.Hurry();
            _ready.Writer.Complete();
        }

        _groupCommit.Wake(TakeWakeLocked());
    }

    public void Dispose()
    {
        _flushTimer.Dispose();
        _groupCommit.Dispose();
    }

    private Appended AppendLocked(in EventHeader header, ReadOnlySpan<byte> body)
    {
        if (_closed)
        {
            return new Appended(Admission.Draining);
        }

        int room = LineEncoder.MaxLength(header, body.Length);
        if (_waitingRequests >= _maxRequests || !TryMakeRoom(room))
        {
            return new Appended(Admission.QueueFull);
        }

        OpenBatch batch = _filling.Batch ??= Open();
        NoteRequest(batch);
        ValueTask<Ack> ack = Await(batch);
        AddToFilling(1, LineEncoder.Encode(header, body, _filling.Chunk!.Free));
        SealIfDue();
        return new Appended(Admission.Accepted, ack, batch);
    }

    private ValueTask<Ack> Await(OpenBatch batch)
    {
        if (_waiters is null)
        {
            return InMemory(batch.Key);
        }

        AckWaiter waiter = _waiters.Rent();
        _groupCommit.Add();
        waiter.Begin(1);
        waiter.Key = batch.Key;
        _filling.Add(waiter);
        return waiter.Task;
    }

    // Before its events are counted, which may seal the batch: from then on its list is the batch writer's.
    private static void NoteRequest(OpenBatch batch)
    {
        if (EstatActivities.IsOn)
        {
            batch.NoteRequest();
        }
    }

    private static ValueTask<Ack> InMemory(string keys) => ValueTask.FromResult(new Ack(Admission.Accepted, AckLevel.Memory, keys));

    private void AddToFilling(int events, int length)
    {
        Chunk chunk = _filling.Chunk!;
        chunk.Add(events, length);
        NoteWaiting(chunk);
        Count(events, length);
        CountRequest();
        // A chunk made for a large event may be as large as the whole partition: kept to be filled further, it would turn everybody away until the
        // batch ends.
        if (chunk == _filling.Chunk && (chunk.Requests >= _handoverRequests || chunk.Buffer.Length > ChunkPool.ChunkBytes))
        {
            HandOver(null);
        }
    }

    private void NoteWaiting(Chunk chunk)
    {
        chunk.AddRequest();
        _waitingRequests++;
    }

    // Above memory nothing counts as accepted before it is synced.
    private void CountRequest()
    {
        if (_waiters is null)
        {
            _acceptedRequests++;
        }
    }

    private void SealIfOver(int moreEvents)
    {
        if (_open is not null && _open.Events + moreEvents > _options.BatchSize)
        {
            Seal(FlushReason.Count);
        }
    }

    // Those who wait for the store get a batch at once if the last one is long enough ago; otherwise the timer, armed when theirs opened, ends it.
    private void SealIfDue()
    {
        if (_isAwaited && _open is not null && UntilPaced() <= TimeSpan.Zero)
        {
            Seal(FlushReason.Awaited);
        }
    }

    private TimeSpan UntilPaced() => _lastSeal == long.MinValue ? TimeSpan.Zero : _options.StoredMaxWait - _time.GetElapsedTime(_lastSeal);

    // A partition that is half empty takes anything: what is larger than the rest of it could otherwise never come in, or only by luck.
    private static bool Fits(long amount, long waiting, long most) => waiting + amount <= most || waiting <= most / 2;

    private bool TryMakeRoom(int room)
    {
        if (_filling.Chunk is { } filling && filling.Room >= room)
        {
            return true;
        }

        HandOver(null);
        // An event whose bound exceeds the whole partition (a large MAX_BODY_SIZE) is taken when nothing else waits.
        if (!Fits(Math.Max(room, ChunkPool.ChunkBytes), _waitingBytes, _maxBytes))
        {
            return false;
        }

        Chunk chunk = _chunks.Rent(room);
        _filling.Begin(chunk);
        _waitingBytes += chunk.Buffer.Length;
        return true;
    }

    private OpenBatch Open()
    {
        if (_open is null)
        {
            DateTimeOffset now = _time.GetUtcNow();
            Volatile.Write(ref _open, new OpenBatch(_keys.Next(now), now, _isAwaited));
            ArmTimer(_open);
        }

        return _open;
    }

    private void OnTimer()
    {
        bool wake = false;
        lock (_gate)
        {
            // A timer that fires late may meet a batch younger than the one it was set for.
            if (_open is not null && Left(_open) <= TimeSpan.Zero)
            {
                Seal(_isAwaited ? FlushReason.Awaited : FlushReason.Time);
                wake = _groupCommit.TakeWake();
            }
            else if (_open is not null)
            {
                ArmTimer(_open);
            }
        }

        _groupCommit.Wake(wake);
    }

    private void ArmTimer(OpenBatch batch)
    {
        TimeSpan left = Left(batch);
        _flushTimer.Change(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), Never);
    }

    // A clock that was set back ends the batch: nobody knows how old it is.
    private TimeSpan Left(OpenBatch batch)
    {
        if (_isAwaited)
        {
            return UntilPaced();
        }

        TimeSpan age = _time.GetUtcNow() - batch.Opened;
        return age < TimeSpan.Zero ? TimeSpan.Zero : _options.FlushInterval - age;
    }

    private void Count(int events, int length)
    {
        if (_waiters is null)
        {
            _acceptedEvents += events;
        }

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
        if (_filling.Chunk is null)
        {
            _filling.Begin(new Chunk([]));
        }

        _filling.Batch ??= _open;
        HandOver(reason);
        _groupCommit.Hurry();
        Volatile.Write(ref _open, null);
        _lastSeal = _time.GetTimestamp();
        _flushTimer.Change(Never, Never);
    }

    // Passes the chunk being filled to the writers. One without lines only travels when it carries a seal.
    private void HandOver(FlushReason? seals)
    {
        if (_filling.Chunk is { } chunk && (chunk.Events > 0 || seals is not null))
        {
            if (_waiters is not null && !_filling.HasUntaken)
            {
                _groupCommit.Hurry(); // nobody waits for it, but for its room
            }

            _ready.Writer.TryWrite(_filling.End(seals));
        }
        else if (_filling.Drop() is { } unused)
        {
            _waitingBytes -= unused.Buffer.Length;
            _chunks.Return(unused);
        }
    }

    private bool TakeWakeLocked()
    {
        lock (_gate)
        {
            return _groupCommit.TakeWake();
        }
    }
}
