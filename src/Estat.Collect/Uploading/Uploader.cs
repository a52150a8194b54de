// Sealed batches leave the node here: to the object store, or to the DLQ when it does not answer.
using System.Diagnostics;
using Estat.Base.Files;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Options;

namespace Estat.Collect.Uploading;

/// <summary>
/// A bounded queue and <c>UPLOAD_CONCURRENCY</c> workers. A batch is tried 1 + <c>S3_APP_RETRIES</c> times, then written to the DLQ; while storage
/// is known to fail, once. A batch that is safe in the spool does not wait for room in a full queue: it stays there and gives its memory back. One
/// that is in memory only makes its partition wait as long as storage answers, and goes to the DLQ directly when it does not; so memory stays bounded
/// and clients are not turned away for an outage. What no disk takes stays in memory and is tried again.
/// </summary>
internal sealed partial class Uploader : IDisposable
{
    // Not a Backoff: the disk is this node's own, so asking it often costs nobody else, and memory is held meanwhile.
    private static readonly TimeSpan DiskRetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Channel<(SealedBatch Batch, long Queued)> _queue;
    private readonly CollectOptions _options;
    private readonly BatchStore _store;
    private readonly DlqDirectory _dlq;
    private readonly SpoolBacklog? _backlog;
    private readonly IBatchCopies? _copies;
    private readonly Ledger _ledger;
    private readonly EstatInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _hurry = new();
    private readonly CancellationTokenSource _giveUp = new();
    private int _uploading;

    internal Uploader(
        CollectOptions options, BatchStore store, DlqDirectory dlq, SpoolBacklog? backlog, IBatchCopies? copies, Ledger ledger,
        EstatInstruments instruments, TimeProvider time, ILogger logger)
    {
        _queue = Channel.CreateBounded<(SealedBatch, long)>(options.UploadQueue);
        _options = options;
        _store = store;
        _dlq = dlq;
        _backlog = backlog;
        _copies = copies;
        _ledger = ledger;
        _instruments = instruments;
        _time = time;
        _logger = logger;
    }

    /// <summary>Whether nothing waits and nothing is being uploaded: the moment for recovery.</summary>
    internal bool IsIdle => QueueDepth == 0 && Volatile.Read(ref _uploading) == 0;

    /// <summary>Sealed batches that wait.</summary>
    internal int QueueDepth => _queue.Reader.Count;

    /// <summary>Cancelled when uploads must end.</summary>
    internal CancellationToken Hurried => _hurry.Token;

    /// <summary>Takes over a batch. Completes at once while there is room.</summary>
    internal async ValueTask EnqueueAsync(SealedBatch batch)
    {
        _instruments.OnBatchSealed(batch.Reason, batch.Seal.Bytes, batch.ContentBytes);
        if (_queue.Writer.TryWrite((batch, _time.GetTimestamp())))
        {
            return;
        }

        await KeepCopyAsync(batch).ConfigureAwait(false);
        if (batch.IsSafeInSpool)
        {
            _backlog!.Park(batch, "the upload queue was full");
            return;
        }

        if (_store.Storage.Fails && TryMoveToDlq(batch, "the upload queue was full while storage did not answer"))
        {
            batch.Outcome?.TrySetResult(false);
            batch.Dispose();
            return;
        }

        await _queue.Writer.WriteAsync((batch, _time.GetTimestamp())).ConfigureAwait(false);
    }

    /// <summary>Works until <see cref="Complete"/> and the queue is empty.</summary>
    internal Task RunAsync() => Task.WhenAll(Enumerable.Range(0, _options.UploadConcurrency).Select(_ => WorkAsync()));

    /// <summary>No more batches will come.</summary>
    internal void Complete() => _queue.Writer.Complete();

    /// <summary>Ends uploads in progress; what is left goes to the DLQ. An upload that succeeded, but whose response was lost, is recognised by
    /// recovery.</summary>
    internal void Hurry() => Cancel(_hurry);

    /// <summary>The last resort of a drain whose time is over: batches that neither storage nor the disk takes are counted as dropped.</summary>
    internal void GiveUp() => Cancel(_giveUp);

    public void Dispose()
    {
        _hurry.Dispose();
        _giveUp.Dispose();
    }

    // Called by a timer or a signal's thread. All are told, whichever of them fails at that; what they throw would end the process in its drain.
    private void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException error)
        {
            LogCancelFailed(_logger, error);
        }
    }

    private async Task WorkAsync()
    {
        await foreach ((SealedBatch batch, long queued) in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            Interlocked.Increment(ref _uploading);
            try
            {
                _instruments.OnBatchDequeued(_time.GetElapsedTime(queued));
                await UploadAsync(batch).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // Not expected: UploadAsync handles what storage and disk do. The batch must leave memory somewhere, whatever it was.
                LogUploadCrashed(_logger, error, batch.Key);
                await KeepSomewhereAsync(batch, $"unexpected: {error.Message}").ConfigureAwait(false);
            }
            finally
            {
                batch.Dispose();
                Interlocked.Decrement(ref _uploading);
            }
        }
    }

    private async Task UploadAsync(SealedBatch batch)
    {
        string reason = "the node had to stop";
        int attempts = _store.Storage.Fails ? 1 : 1 + _options.S3AppRetries;
        for (int attempt = 1; attempt <= attempts && !_hurry.IsCancellationRequested; attempt++)
        {
            StorageException? error = await TryStoreAsync(batch, _hurry.Token).ConfigureAwait(false);
            if (error is null)
            {
                return;
            }

            reason = error.Message;
            if (error.Failure != StorageFailure.Transient)
            {
                break;
            }

            if (attempt < attempts)
            {
                await Task.Delay(Backoff.Upload.After(attempt), _time, _hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await KeepSomewhereAsync(batch, reason).ConfigureAwait(false);
    }

    private async Task<StorageException?> TryStoreAsync(SealedBatch batch, CancellationToken cancellationToken)
    {
        StorageException? error = await _store.TryStoreAsync(batch, batch.Place, cancellationToken).ConfigureAwait(false);
        if (error is null)
        {
            batch.Segment?.Delete();
        }

        return error;
    }

    private async Task KeepSomewhereAsync(SealedBatch batch, string reason)
    {
        batch.Outcome?.TrySetResult(false);
        await KeepCopyAsync(batch).ConfigureAwait(false);
        if (batch.IsSafeInSpool && (_hurry.IsCancellationRequested || _dlq.IsFull))
        {
            _backlog!.Park(batch, reason);
            return;
        }

        while (!TryMoveToDlq(batch, reason))
        {
            if (batch.IsSafeInSpool)
            {
                _backlog!.Park(batch, "the DLQ did not take it");
                return;
            }

            if (_giveUp.IsCancellationRequested)
            {
                _ledger.Move(batch.Seal.Events, batch.Place, Place.Dropped);
                LogDropped(_logger, batch.Seal.Events, batch.Key);
                return;
            }

            await Task.Delay(DiskRetryDelay, _time, _giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_giveUp.IsCancellationRequested && await TryStoreAsync(batch, _giveUp.Token).ConfigureAwait(false) is null)
            {
                return;
            }
        }
    }

    // A copy that was lost is made afresh before the batch waits for long; a process that has to end does not begin that.
    private async ValueTask KeepCopyAsync(SealedBatch batch)
    {
        if (_copies is not null && !_hurry.IsCancellationRequested)
        {
            await _copies.KeepSafeAsync(batch).ConfigureAwait(false);
        }
    }

    private bool TryMoveToDlq(SealedBatch batch, string reason)
    {
        using Activity? activity = BatchSpans.MovingToDlq(batch, reason);
        try
        {
            _dlq.Add(batch, reason);
            batch.Segment?.Delete();
            LogMovedToDlq(_logger, batch.Seal.Events, batch.Key, reason);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            _instruments.OnDlqWriteFailed();
            LogDlqWriteFailed(_logger, error.Message, batch.Key, DiskAdvice.For(error, _dlq.Folder));
            return false;
        }
    }
}
