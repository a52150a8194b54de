// Sealed batches leave the node here: to the object store, or to the DLQ when it does not answer.
using System.Diagnostics;
using Estat.Core.Batching;
using Estat.Core.Conservation;
using Estat.Core.Metrics;
using Estat.Core.Options;
using Estat.Core.Recovery;
using Estat.Core.Storage;

namespace Estat.Core.Uploading;

/// <summary>
/// A bounded queue and <c>UPLOAD_CONCURRENCY</c> workers. A batch is tried 1 + <c>S3_APP_RETRIES</c> times, then written to the DLQ; while storage
/// is known to fail, once. A full queue makes partitions wait as long as storage answers; when it does not, further batches go to the DLQ directly,
/// so that memory stays bounded and clients are not turned away. What not even the disk takes stays in memory and is tried again.
/// </summary>
internal sealed partial class Uploader : IDisposable
{
    // Not a Backoff: the disk is this node's own, so asking it often costs nobody else, and memory is held meanwhile.
    private static readonly TimeSpan DiskRetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Channel<(SealedBatch Batch, long Queued)> _queue;
    private readonly EstatOptions _options;
    private readonly ObjectWriter _writer;
    private readonly DlqDirectory _dlq;
    private readonly QuarantineKeys _quarantine;
    private readonly Ledger _ledger;
    private readonly EstatInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _hurry = new();
    private readonly CancellationTokenSource _giveUp = new();
    private int _uploading;
    private volatile bool _storageFails;

    internal Uploader(
        EstatOptions options, ObjectWriter writer, DlqDirectory dlq, QuarantineKeys quarantine, Ledger ledger, EstatInstruments instruments,
        TimeProvider time, ILogger logger)
    {
        _queue = Channel.CreateBounded<(SealedBatch, long)>(options.UploadQueue);
        _options = options;
        _writer = writer;
        _dlq = dlq;
        _quarantine = quarantine;
        _ledger = ledger;
        _instruments = instruments;
        _time = time;
        _logger = logger;
    }

    /// <summary>Whether nothing waits and nothing is being uploaded: the moment for recovery.</summary>
    internal bool IsIdle => QueueDepth == 0 && Volatile.Read(ref _uploading) == 0;

    /// <summary>Sealed batches that wait.</summary>
    internal int QueueDepth => _queue.Reader.Count;

    /// <summary>Whether the last upload failed, and recovery has not got through since.</summary>
    internal bool StorageFails => _storageFails;

    /// <summary>Recovery got through: a node without newcomers must not go on saying that storage fails.</summary>
    internal void OnStorageAnswers() => _storageFails = false;

    /// <summary>Takes over a batch. Completes at once while there is room.</summary>
    internal async ValueTask EnqueueAsync(SealedBatch batch)
    {
        _instruments.OnBatchSealed(batch);
        if (_queue.Writer.TryWrite((batch, _time.GetTimestamp())))
        {
            return;
        }

        if (_storageFails && TryMoveToDlq(batch, "the upload queue was full while storage did not answer"))
        {
            batch.Dispose();
            return;
        }

        await _queue.Writer.WriteAsync((batch, _time.GetTimestamp())).ConfigureAwait(false);
    }

    /// <summary>Works until <see cref="Complete"/> and the queue is empty.</summary>
    internal Task RunAsync() => Task.WhenAll(Enumerable.Range(0, _options.UploadConcurrency).Select(_ => WorkAsync()));

    /// <summary>No more batches will come.</summary>
    internal void Complete() => _queue.Writer.Complete();

    /// <summary>Ends uploads in progress; what is left goes to the DLQ. A batch that had arrived unheard is recognised by recovery.</summary>
    internal void Hurry() => _hurry.Cancel();

    /// <summary>The last resort of a drain whose time is over: batches that neither storage nor the disk takes are counted as dropped.</summary>
    internal void GiveUp() => _giveUp.Cancel();

    public void Dispose()
    {
        _hurry.Dispose();
        _giveUp.Dispose();
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
        string reason = "the node was told to hurry";
        int attempts = _storageFails ? 1 : 1 + _options.S3AppRetries;
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

    // null: stored. The failure was logged and counted here.
    private async Task<StorageException?> TryStoreAsync(SealedBatch batch, CancellationToken cancellationToken)
    {
        bool isGzip = batch.Form == BatchForm.Gzip;
        string key = isGzip ? batch.Key : _quarantine.For(ObjectKeys.NameOf(batch.Key), batch.Form);
        var content = new ObjectContent(batch.OpenContent, batch.Seal, isGzip, isGzip ? null : "gzip failed when the batch was written");
        long started = _time.GetTimestamp();
        using Activity? activity = EstatActivities.Storing("estat.upload", key, content);
        try
        {
            string stored = await _writer.WriteAsync(key, content, cancellationToken).ConfigureAwait(false);
            _storageFails = false;
            _instruments.OnUploadEnded(_time.GetElapsedTime(started), succeeded: true);
            _ledger.Move(batch.Seal.Events, Place.Buffered, isGzip ? Place.Stored : Place.Quarantined);
            if (!isGzip)
            {
                _instruments.OnQuarantined();
            }

            LogStored(_logger, stored, batch.Seal.Events, batch.ContentBytes, batch.Reason);
            return null;
        }
        catch (StorageException error)
        {
            _storageFails = true;
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            _instruments.OnUploadEnded(_time.GetElapsedTime(started), succeeded: false);
            LogUploadFailed(_logger, error.Message, key);
            return error;
        }
        catch (OperationCanceledException)
        {
            return new StorageException(StorageFailure.Transient, "the upload was ended because the node is stopping");
        }
    }

    private async Task KeepSomewhereAsync(SealedBatch batch, string reason)
    {
        while (!TryMoveToDlq(batch, reason))
        {
            if (_giveUp.IsCancellationRequested)
            {
                _ledger.Move(batch.Seal.Events, Place.Buffered, Place.Dropped);
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

    private bool TryMoveToDlq(SealedBatch batch, string reason)
    {
        try
        {
            _dlq.Add(batch, reason);
            LogMovedToDlq(_logger, batch.Seal.Events, batch.Key, reason);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _instruments.OnDlqWriteFailed();
            LogDlqWriteFailed(_logger, error.Message, batch.Key);
            return false;
        }
    }
}
