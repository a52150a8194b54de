// Sealed batches that wait in the spool alone, without memory: those found at start, and those for which the upload queue had no room.
using Estat.Base.Journal;
using Estat.Base.Logging;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Estat.Collect.Spooling;

namespace Estat.Collect.Uploading;

/// <summary>
/// Reads a waiting segment, checks it, compresses it and uploads it under its key, <c>UPLOAD_CONCURRENCY</c> at once. Each failed one backs off on
/// its own; while storage fails, one at a time is tried, ever less often, so that an outage is not made worse and its end is noticed within seconds.
/// A crash anywhere between upload and deletion costs a repeated attempt and never a second object.
/// </summary>
internal sealed partial class SpoolBacklog : ISegmentSeals, IDisposable
{
    private static readonly Backoff OutageProbe = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    private readonly CollectOptions _options;
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
    private readonly CancellationTokenSource _endRests = new();
    private readonly HashSet<Waiting> _inWork = new(ReferenceEqualityComparer.Instance);
    private int _failuresInARow;
    private TimeSpan _quietUntil;
    private TimeSpan _nextListing;
    private bool _stockTaken;

    internal SpoolBacklog(
        CollectOptions options, Spool spool, BatchStore store, DlqDirectory dlq, QuarantineKeys quarantine, Func<BatchEncoder> newEncoder,
        Ledger ledger,
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
                return _inWork.Count == 0 && !(_waiting.TryPeek(out _, out TimeSpan due) && due <= Now);
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
                return _waiting.Count + _inWork.Count;
            }
        }
    }

    /// <summary>Events in them, as far as they could be counted.</summary>
    internal long Events
    {
        get
        {
            lock (_gate)
            {
                return _waiting.UnorderedItems.Sum(item => item.Element.Events) + _inWork.Sum(segment => segment.Events);
            }
        }
    }

    /// <summary>
    /// Seals a batch's segment, which must precede its upload. A batch that came out of the encoder as no gzip goes to the backlog instead: its lines
    /// are whole in the segment, and a fresh compressor may do better.
    /// </summary>
    /// <returns>Whether the batch may be uploaded; if not, the backlog has it.</returns>
    public bool TrySeal(SealedBatch batch)
    {
        Segment segment = batch.Segment!;
        if (!segment.IsTrusted)
        {
            // Its content is in memory: it is uploaded or goes to the DLQ, and then the segment is deleted. What its compressor lost is lost.
            _ledger.Move(segment.Events - batch.Seal.Events, Place.Spooled, Place.Dropped);
            return true;
        }

        if (batch.Form == BatchForm.Raw && segment.IsSafe)
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
            // Nothing of what a failed sync was to secure is believed: the batch leaves from memory. Were it interrupted, recovery would find the
            // same run of records, and so the same batch: nothing is appended to a segment whose batch has ended.
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
        (long bytes, IJournalFile? held) = batch.Segment.Leave();
        string name = batch.Segment.Name;
        batch.Dispose();
        Enqueue(new Waiting(name, events, bytes, 0) { Held = held }, Now);
    }

    /// <summary>Takes over a segment that was never sealed, of a batch whose owner will not store it.</summary>
    internal void Adopt(Segment segment)
    {
        long events = segment.Events;
        _ledger.Find(events, Place.Spooled);
        (long bytes, IJournalFile? held) = segment.Leave();
        Enqueue(new Waiting(segment.Name, events, bytes, 0) { Held = held }, Now);
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
            PullForward();
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
        try
        {
            while (parts.Length > 0)
            {
                // One by one, so that the first that crashes is heard of.
                Task ended = await Task.WhenAny(parts).ConfigureAwait(false);
                parts = [.. parts.Where(part => part != ended)];
                await ended.ConfigureAwait(false);
            }
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested)
            {
                await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                GiveUpHeld(); // now that nobody works on one any more
            }
        }
    }

    /// <summary>
    /// Tries everything that waits once more and completes when nothing is due any longer, or when storage fails: what is left then is for the next
    /// start.
    /// </summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _endRests.CancelAsync().ConfigureAwait(false);
        while (!Volatile.Read(ref _stockTaken) && !cancellationToken.IsCancellationRequested)
        {
            await PauseAsync(cancellationToken).ConfigureAwait(false);
        }

        lock (_gate)
        {
            PullForward();
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
        _endRests.Dispose();
    }

    // A look every so often, whatever clock batches go by.
    private static Task PauseAsync(CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(10), cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);

    // Monotonic: a clock that is set must not put anything to sleep.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

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
            bool maySend = _failuresInARow == 0 || _inWork.Count == 0;
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
            _inWork.Add(next);
            return true;
        }
    }

    // The outage is over: whoever had to back off in it is due. Under the lock.
    private void PullForward()
    {
        _failuresInARow = 0;
        _quietUntil = default;
        Waiting[] all = [.. _waiting.UnorderedItems.Select(item => item.Element)];
        _waiting.Clear();
        _waiting.EnqueueRange(all, Now);
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
            _store.Storage.OnFailed(segment.Name, error); // it was looked at before anything was uploaded
            return Attempt.StorageFailed;
        }
        catch (FileNotFoundException) when (_spool.IsMissing(segment.Name))
        {
            GiveUp([segment]);
            GiveUpMissing(); // seldom one alone
            return Attempt.Gone;
        }
        catch (Exception error)
        {
            // Whatever is wrong with one segment keeps none of the others from its turn. Told when it is news.
            if (segment.Fault.IsNews(error.Message))
            {
                LogAttemptFailed(_logger, segment.Name, error.Message);
            }

            return Attempt.SegmentFailed;
        }
    }

    private void Settle(Waiting segment, Attempt attempt)
    {
        lock (_gate)
        {
            _inWork.Remove(segment);
            if (attempt is not Attempt.Done and not Attempt.Gone)
            {
                int attempts = segment.Attempts + 1;
                _waiting.Enqueue(segment with { Attempts = attempts }, Now + Backoff.Dlq.After(attempts));
            }

            if (attempt == Attempt.StorageFailed)
            {
                _failuresInARow++;
                _quietUntil = Now + OutageProbe.After(_failuresInARow);
            }
            else if (attempt == Attempt.Done && _failuresInARow > 0)
            {
                PullForward();
            }
        }

        Wake();
    }

    private enum Attempt
    {
        // It is safe elsewhere and gone from here.
        Done,

        // It was removed by somebody else.
        Gone,

        // The store did not take it: others need not be tried now either.
        StorageFailed,

        // Something is wrong with it alone.
        SegmentFailed,
    }

    private sealed record Waiting(string Name, long Events, long Bytes, int Attempts)
    {
        /// <summary>Events that it is counted with.</summary>
        internal long Events { get; set; } = Events;

        /// <summary>Its open file, if that was removed under us: the only way to what it holds.</summary>
        internal IJournalFile? Held { get; init; }

        /// <summary>Whether its damage was told and counted.</summary>
        internal bool IsTold { get; set; }

        /// <summary>What is wrong with it alone.</summary>
        internal ToldFault Fault { get; } = new();
    }
}
