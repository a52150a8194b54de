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
            return true; // its content is in memory: it is uploaded or goes to the DLQ, and then the segment is deleted
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
            _spool.OnFailed(segment.Name, error);
            LogNotSealed(_logger, segment.Name, error.Message);
            Park(batch, "its seal could not be written");
            return false;
        }

        return true;
    }

    /// <summary>Leaves a batch to the spool; its memory is given back. Its segment must be trusted.</summary>
    internal void Park(SealedBatch batch, string reason)
    {
        batch.Outcome?.TrySetResult(false);
        LogParked(_logger, batch.Seal.Events, batch.Key, reason);
        long bytes = batch.Segment!.Close();
        string name = batch.Segment.Name;
        batch.Dispose();
        Enqueue(new Waiting(name, batch.Seal.Events, bytes, 0), Now);
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

        _changed.Release(_options.UploadConcurrency);
    }

    /// <summary>Takes stock of what earlier starts left, then works until cancelled; uploads in progress are ended by the cancellation.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        Task[] workers = [.. Enumerable.Range(0, _options.UploadConcurrency).Select(_ => Task.Run(() => WorkAsync(cancellationToken), CancellationToken.None))];
        await Task.Run(() => TakeStock(cancellationToken), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(workers).ConfigureAwait(false);
    }

    /// <summary>Completes when nothing waits any more, or when storage fails: what is left then is for the next start.</summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && !(Volatile.Read(ref _stockTaken) && Segments == 0) && Volatile.Read(ref _failuresInARow) == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _changed.Dispose();
        _compressing.Dispose();
    }

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

    // Null: nothing was ever acknowledged in it; it is gone.
    private Waiting? Count(string name)
    {
        bool isEmpty;
        using (SegmentReader reader = SegmentReader.Open(_spool.Files, name))
        {
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

    private async Task<string?> TryUploadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        try
        {
            return await UploadAsync(segment, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return "the node is stopping";
        }
        catch (Exception error)
        {
            // Whatever is wrong with one segment keeps none of the others from its turn.
            LogAttemptFailed(_logger, segment.Name, error.Message);
            return error.Message;
        }
    }

    private void Settle(Waiting segment, string? failure)
    {
        lock (_gate)
        {
            _working--;
            if (failure is null)
            {
                _failuresInARow = 0;
                _quietUntil = default;
            }
            else
            {
                int attempts = segment.Attempts + 1;
                _waiting.Enqueue(segment with { Attempts = attempts }, Now + Backoff.Dlq.After(attempts));
                _failuresInARow++;
                _quietUntil = Now + OutageProbe.After(_failuresInARow);
            }
        }

        _changed.Release(_options.UploadConcurrency);
    }

    // Null when the segment is done with; otherwise why it has to wait.
    private async Task<string?> UploadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        await _compressing.WaitAsync(cancellationToken).ConfigureAwait(false);
        RecoveredSegment recovered;
        try
        {
            recovered = RecoveredSegment.Read(_spool.Files, segment.Name, _newEncoder);
        }
        finally
        {
            _compressing.Release();
        }

        using (recovered)
        {
            CountLate(segment, recovered);
            if (recovered.Key is { } key && _dlq.Holds(key))
            {
                // It was on its way out when the node ended. The DLQ has, and is counted with, all that was acknowledged; the segment may hold events besides
                // whose flush failed: uploaded first, they would make the DLQ's batch a stranger under its own key.
                _ledger.Find(-segment.Events, Place.Spooled);
                _spool.Delete(segment.Name, segment.Bytes);
                return null;
            }

            if (recovered.IsDamaged && recovered.Sealed is { } seal && await _store.IsStoredAsync(recovered.Key!, seal, cancellationToken).ConfigureAwait(false))
            {
                // It was uploaded whole before it was damaged: nothing is amiss.
                _ledger.Move(segment.Events, Place.Spooled, Place.Stored);
                _spool.Delete(segment.Name, segment.Bytes);
                return null;
            }

            if (recovered.Tail is not null && await QuarantineAsync(segment, recovered, cancellationToken).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            if (recovered.Batch is { } batch)
            {
                if (batch.Form == BatchForm.Raw && segment.Attempts < AttemptsToCompress)
                {
                    return "it could not be compressed";
                }

                recovered.EnsureSealed();
                StorageException? error = await _store.TryStoreAsync(batch, Place.Spooled, cancellationToken).ConfigureAwait(false);
                if (error is not null)
                {
                    return error.Message;
                }
            }

            long lost = segment.Events - (recovered.Batch?.Seal.Events ?? 0);
            if (lost != 0)
            {
                _ledger.Move(lost, Place.Spooled, Place.Quarantined);
            }
        }

        _spool.Delete(segment.Name, segment.Bytes);
        return null;
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

    private async Task<string?> QuarantineAsync(Waiting segment, RecoveredSegment recovered, CancellationToken cancellationToken)
    {
        string name = recovered.Batch is { } batch ? ObjectKeys.NameOf(batch.Key) : ObjectKeys.NameOf(recovered.Key ?? $"{_spool.Instance}_{segment.Name}");
        string key = _quarantine.For($"{name}_tail", BatchForm.Raw);
        StorageException? error = await _store.TryQuarantineAsync(key, recovered.Tail!, recovered.TailReason, cancellationToken).ConfigureAwait(false);
        if (error is not null)
        {
            return error.Message;
        }

        if (recovered.IsDamaged)
        {
            LogDamaged(_logger, segment.Name, key, recovered.TailReason);
        }
        else
        {
            LogTailCut(_logger, segment.Name, recovered.Tail!.Length, key);
        }

        return null;
    }

    private sealed record Waiting(string Name, long Events, long Bytes, int Attempts)
    {
        /// <summary>Events that it is counted with.</summary>
        internal long Events { get; set; } = Events;
    }
}
