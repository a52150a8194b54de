// Sealed batches that wait in the spool alone, without memory: those found at start, and those for which the upload queue had no room.
using Estat.Core.Batching;
using Estat.Core.Conservation;
using Estat.Core.Options;
using Estat.Core.Recovery;
using Estat.Core.Storage;
using Estat.Core.Uploading;

namespace Estat.Core.Spooling;

/// <summary>
/// Reads a waiting segment, checks it, compresses it and uploads it under its key, <c>UPLOAD_CONCURRENCY</c> at once. Each failed one backs off on its own; while
/// storage fails, one at a time is tried, ever less often, so that an outage is not made worse and its end is noticed within seconds. A crash anywhere between
/// upload and deletion costs a repeated attempt and never a second object.
/// </summary>
internal sealed partial class SpoolBacklog : IDisposable
{
    // Lines that no compressor takes after that go to the quarantine as they are.
    private const int AttemptsToCompress = 3;

    private static readonly Backoff OutageProbe = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    private readonly EstatOptions _options;
    private readonly Spool _spool;
    private readonly BatchStore _store;
    private readonly DlqDirectory _dlq;
    private readonly QuarantineKeys _quarantine;
    private readonly Func<BatchEncoder> _newEncoder;
    private readonly Ledger _ledger;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly PriorityQueue<Waiting, TimeSpan> _waiting = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly long _origin;

    // Reading and compressing is what takes CPU time from those who send: half of the cores at most.
    private readonly SemaphoreSlim _compressing = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int _working;
    private int _failuresInARow;
    private TimeSpan _quietUntil;
    private bool _stockTaken;

    internal SpoolBacklog(
        EstatOptions options, Spool spool, BatchStore store, DlqDirectory dlq, QuarantineKeys quarantine, Func<BatchEncoder> newEncoder, Ledger ledger,
        TimeProvider time, ILogger logger)
    {
        _options = options;
        _spool = spool;
        _store = store;
        _dlq = dlq;
        _quarantine = quarantine;
        _newEncoder = newEncoder;
        _ledger = ledger;
        _time = time;
        _logger = logger;
        _origin = time.GetTimestamp();
    }

    /// <summary>Whether nothing is being uploaded and nothing is due.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return _working == 0 && !(_waiting.TryPeek(out _, out TimeSpan due) && due <= Now);
            }
        }
    }

    /// <summary>Segments that wait or are being uploaded.</summary>
    internal int Segments
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count + _working;
            }
        }
    }

    /// <summary>
    /// Seals a batch's segment, which must precede its upload. A batch that came out of the encoder as no gzip goes to the backlog instead: its lines
    /// are whole in the segment, and a fresh compressor may do better.
    /// </summary>
    /// <returns>Whether the batch may be uploaded; if not, the backlog has it.</returns>
    internal bool TrySeal(SealedBatch batch)
    {
        Segment segment = batch.Segment!;
        if (!segment.IsTrusted)
        {
            // Its content is in memory: it is uploaded or goes to the DLQ, and then the segment is deleted. What its compressor lost is lost.
            _ledger.Move(segment.Events - batch.Seal.Events, Place.Spooled, Place.Dropped);
            return true;
        }

        if (batch.Form == BatchForm.Raw)
        {
            Park(batch, "it could not be compressed");
            return false;
        }

        try
        {
            segment.WriteSeal(batch.Seal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Nothing of what a failed flush was to secure is believed: the batch leaves from memory. Were it interrupted, recovery would find the same run of
            // records, and so the same batch: nothing is appended to a segment whose batch has ended.
            segment.Distrust();
            _spool.OnSealFailed(segment.Name, error);
        }

        return true;
    }

    /// <summary>Leaves a batch to the spool; its memory is given back. Its segment must be trusted.</summary>
    internal void Park(SealedBatch batch, string reason)
    {
        batch.Outcome?.TrySetResult(false);
        LogParked(_logger, batch.Seal.Events, batch.Key, reason);
        long events = batch.Segment!.Events;
        long bytes = batch.Segment.Close();
        string name = batch.Segment.Name;
        batch.Dispose();
        Enqueue(new Waiting(name, events, bytes, 0), Now);
    }

    /// <summary>Storage answered somebody: no reason to be careful any longer.</summary>
    internal void OnStorageAnswers()
    {
        if (Volatile.Read(ref _failuresInARow) == 0)
        {
            return;
        }

        lock (_gate)
        {
            _failuresInARow = 0;
            _quietUntil = default;
        }

        Wake();
    }

    /// <summary>Takes stock of what earlier starts left, and works until cancelled; uploads in progress are ended by the cancellation.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        Task[] parts =
        [
            Task.Run(() => TakeStock(cancellationToken), cancellationToken),
            .. Enumerable.Range(0, _options.UploadConcurrency).Select(_ => Task.Run(() => WorkAsync(cancellationToken), CancellationToken.None)),
        ];
        while (parts.Length > 0)
        {
            // One by one, so that the first that crashes is heard of.
            Task ended = await Task.WhenAny(parts).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
            parts = [.. parts.Where(part => part != ended)];
        }
    }

    /// <summary>
    /// Tries everything that waits once more and completes when nothing is due any longer, or when storage fails: what is left then is for the next start.
    /// </summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (!Volatile.Read(ref _stockTaken) && !cancellationToken.IsCancellationRequested)
        {
            await PauseAsync(cancellationToken).ConfigureAwait(false);
        }

        lock (_gate)
        {
            TimeSpan now = Now;
            Waiting[] all = [.. _waiting.UnorderedItems.Select(item => item.Element)];
            _waiting.Clear();
            _waiting.EnqueueRange(all, now);
        }

        Wake();
        while (!IsIdle && Volatile.Read(ref _failuresInARow) == 0 && !cancellationToken.IsCancellationRequested)
        {
            await PauseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _changed.Dispose();
        _compressing.Dispose();
    }

    private Task PauseAsync(CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(10), _time, cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);

    // Monotonic: a clock that is set must not put anything to sleep.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

    // A sealed segment says in its head how many events it holds; only those that a crash left open are read whole.
    private void TakeStock(CancellationToken cancellationToken)
    {
        long events = 0;
        foreach (string name in _spool.Found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (Count(name) is { } found)
                {
                    events += found.Events;
                    _ledger.Find(found.Events, Place.Spooled);
                    _spool.OnGrown(found.Bytes);
                    Enqueue(found, Now);
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // Whatever is wrong with one segment keeps none of the others from being found.
                LogUnreadable(_logger, name, error.Message);
                Enqueue(new Waiting(name, 0, 0, 1), Now + Backoff.Dlq.After(1));
            }
        }

        Volatile.Write(ref _stockTaken, true);
        if (_spool.Found.Count > 0)
        {
            LogFound(_logger, _spool.Found.Count, events, _spool.Folder);
        }
    }

    // Null: nothing was ever acknowledged in it, and it is gone; or it is left alone.
    private Waiting? Count(string name)
    {
        bool isEmpty;
        using (SegmentReader reader = SegmentReader.Open(_spool.Files, name))
        {
            if (reader.IsOfOtherVersion)
            {
                LogOtherVersion(_logger, name);
                return null;
            }

            isEmpty = reader.Identity is null && reader.Examine(0) == TailKind.Clean;
            if (!isEmpty)
            {
                long events = reader.Seal?.Events ?? (reader.Identity is null ? 0 : reader.ReadGoodRun((_, _) => { }).Events);
                return new Waiting(name, events, reader.Length, 0);
            }
        }

        _spool.Delete(name, 0);
        return null;
    }

    private void Enqueue(Waiting segment, TimeSpan due)
    {
        lock (_gate)
        {
            _waiting.Enqueue(segment, due);
        }

        _changed.Release();
    }

    private void Wake()
    {
        if (_changed.CurrentCount < _options.UploadConcurrency)
        {
            _changed.Release(_options.UploadConcurrency);
        }
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (TryTakeDue(out Waiting? next, out TimeSpan pause))
            {
                Settle(next!, await TryUploadAsync(next!, cancellationToken).ConfigureAwait(false));
            }
            else
            {
                await WaitAsync(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private bool TryTakeDue(out Waiting? next, out TimeSpan pause)
    {
        lock (_gate)
        {
            pause = Timeout.InfiniteTimeSpan;
            next = null;
            bool maySend = _failuresInARow == 0 || _working == 0;
            if (!maySend || !_waiting.TryPeek(out _, out TimeSpan due))
            {
                return false;
            }

            TimeSpan left = (due > _quietUntil ? due : _quietUntil) - Now;
            if (left > TimeSpan.Zero)
            {
                pause = left;
                return false;
            }

            next = _waiting.Dequeue();
            _working++;
            return true;
        }
    }

    private async Task WaitAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(pause, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await _changed.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<Attempt> TryUploadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        try
        {
            return await UploadAsync(segment, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return Attempt.StorageFailed;
        }
        catch (StorageException error)
        {
            LogAttemptFailed(_logger, segment.Name, error.Message);
            return Attempt.StorageFailed;
        }
        catch (Exception error)
        {
            // Whatever is wrong with one segment keeps none of the others from its turn.
            LogAttemptFailed(_logger, segment.Name, error.Message);
            return Attempt.SegmentFailed;
        }
    }

    private void Settle(Waiting segment, Attempt attempt)
    {
        lock (_gate)
        {
            _working--;
            if (attempt != Attempt.Done)
            {
                int attempts = segment.Attempts + 1;
                _waiting.Enqueue(segment with { Attempts = attempts }, Now + Backoff.Dlq.After(attempts));
            }

            if (attempt == Attempt.StorageFailed)
            {
                _failuresInARow++;
                _quietUntil = Now + OutageProbe.After(_failuresInARow);
            }
            else if (attempt == Attempt.Done)
            {
                _failuresInARow = 0;
                _quietUntil = default;
            }
        }

        Wake();
    }

    private async Task<Attempt> UploadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        using RecoveredSegment recovered = await ReadAsync(segment, cancellationToken).ConfigureAwait(false);
        CountLate(segment, recovered);
        if (recovered.Key is { } key && _dlq.Holds(key))
        {
            // It was on its way out when the node ended. The DLQ has, and is counted with, all that was acknowledged; the segment may hold events besides
            // whose flush failed: uploaded first, they would make the DLQ's batch a stranger under its own key.
            _ledger.Find(-segment.Events, Place.Spooled);
        }
        else if (recovered.IsDamaged && recovered.Sealed is { } seal && await _store.IsStoredAsync(recovered.Key!, seal, cancellationToken).ConfigureAwait(false))
        {
            // It was uploaded whole before it was damaged: nothing is amiss.
            _ledger.Move(segment.Events, Place.Spooled, Place.Stored);
        }
        else if (await StoreAsync(segment, recovered, cancellationToken).ConfigureAwait(false) is var attempt and not Attempt.Done)
        {
            return attempt;
        }

        _spool.Delete(segment.Name, segment.Bytes);
        return Attempt.Done;
    }

    private async Task<RecoveredSegment> ReadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        await _compressing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            RecoveredSegment recovered = RecoveredSegment.Read(_spool.Files, segment.Name, _newEncoder);
            if (recovered.Batch is not { Form: BatchForm.Raw } || segment.Attempts < AttemptsToCompress)
            {
                return recovered;
            }

            // Once more without a compressor: one that broke may have taken lines with it, and here they all are.
            recovered.Dispose();
            return RecoveredSegment.Read(_spool.Files, segment.Name, () => new BatchEncoder(_ => null, _logger, onDropped: null));
        }
        finally
        {
            _compressing.Release();
        }
    }

    private async Task<Attempt> StoreAsync(Waiting segment, RecoveredSegment recovered, CancellationToken cancellationToken)
    {
        if (recovered.Tail is { } tail && !await TryQuarantineAsync(segment, recovered, tail, cancellationToken).ConfigureAwait(false))
        {
            return Attempt.StorageFailed;
        }

        if (recovered.Batch is { } batch)
        {
            if (batch.Form == BatchForm.Raw && segment.Attempts < AttemptsToCompress)
            {
                return Attempt.SegmentFailed;
            }

            recovered.EnsureSealed();
            if (await _store.TryStoreAsync(batch, Place.Spooled, cancellationToken).ConfigureAwait(false) is not null)
            {
                return Attempt.StorageFailed;
            }
        }

        long missing = segment.Events - (recovered.Batch?.Seal.Events ?? 0);
        if (missing != 0)
        {
            // What was sealed and is not readable any more: its bytes are in the quarantine, or there are none.
            _ledger.Move(missing, Place.Spooled, recovered.Tail is null ? Place.Dropped : Place.Quarantined);
        }

        if (recovered.IsDamaged && recovered.Tail is null)
        {
            LogCutShort(_logger, segment.Name, recovered.TailReason);
        }

        return Attempt.Done;
    }

    // Stock could not count a segment that it could not read.
    private void CountLate(Waiting segment, RecoveredSegment recovered)
    {
        long events = recovered.Sealed?.Events ?? recovered.Batch?.Seal.Events ?? 0;
        if (events > segment.Events)
        {
            _ledger.Find(events - segment.Events, Place.Spooled);
            segment.Events = events;
        }
    }

    private async Task<bool> TryQuarantineAsync(Waiting segment, RecoveredSegment recovered, byte[] tail, CancellationToken cancellationToken)
    {
        // The same at every start: whoever comes after a crash between upload and deletion finds the object.
        string name = ObjectKeys.NameOf(recovered.Key ?? $"{_spool.Id}_{segment.Name}");
        string key = _quarantine.For($"{name}_tail", BatchForm.Raw);
        if (await _store.TryQuarantineAsync(key, tail, recovered.TailReason, cancellationToken).ConfigureAwait(false) is not null)
        {
            return false;
        }

        if (recovered.IsDamaged)
        {
            LogDamaged(_logger, segment.Name, key, recovered.TailReason);
        }
        else
        {
            LogTailCut(_logger, segment.Name, tail.Length, key);
        }

        return true;
    }

    private enum Attempt
    {
        // It is safe elsewhere and gone from here.
        Done,

        // The store did not take it: others need not be tried now either.
        StorageFailed,

        // Something is wrong with it alone.
        SegmentFailed,
    }

    private sealed record Waiting(string Name, long Events, long Bytes, int Attempts)
    {
        /// <summary>Events that it is counted with.</summary>
        internal long Events { get; set; } = Events;
    }
}
