// One attempt to lay a batch in the store, counted and traced.
using System.Diagnostics;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;

namespace Estat.Collect.Uploading;

/// <summary>What the uploader and the spool's backlog share. Safe for concurrent use.</summary>
internal sealed partial class BatchStore(
    ObjectWriter writer, QuarantineKeys quarantine, StorageState storage, IStoredObserver observer, Ledger ledger, EstatInstruments instruments,
    TimeProvider time, ILogger logger)
{
    private const string RawReason = "gzip failed when the batch was written";

    /// <summary>Whether the store answers.</summary>
    internal StorageState Storage => storage;

    /// <summary>Stores a batch under its key, or a raw one in the quarantine.</summary>
    /// <param name="batch">What to store.</param>
    /// <param name="from">Where its events are counted.</param>
    /// <param name="cancellationToken">Ends the attempt; then nobody knows.</param>
    /// <param name="isWhole">False for what could be read of a damaged segment: a copy elsewhere may hold more.</param>
    /// <returns>Null when it is there; otherwise why nobody knows. The failure was counted and its outage logged here.</returns>
    internal async Task<StorageException?> TryStoreAsync(SealedBatch batch, Place from, CancellationToken cancellationToken, bool isWhole = true)
    {
        bool isGzip = batch.Form == BatchForm.Gzip;
        string key = isGzip ? batch.Key : quarantine.For(batch.Key, batch.Form);
        var content = new ObjectContent(batch.OpenContent, batch.Seal, isGzip, isGzip ? null : RawReason);
        var trace = new BatchTrace(batch.Key, ++batch.Attempts, batch.Trace);
        (string? stored, StorageException? error) = await TryWriteAsync(key, content, trace, cancellationToken).ConfigureAwait(false);
        if (error is not null)
        {
            return error;
        }

        ledger.Move(batch.Seal.Events, from, isGzip ? Place.Stored : Place.Quarantined);
        if (isGzip)
        {
            observer.OnStored(StoredObject.Of(stored!, batch.Seal, batch.ContentBytes, batch.Opened, time));
        }
        else
        {
            observer.OnQuarantined(stored!, batch.Seal.Events);
            instruments.OnQuarantined();
        }

        if (isWhole)
        {
            observer.OnSafe(batch.Key);
        }

        batch.Outcome?.TrySetResult(isGzip);
        LogStored(logger, stored!, batch.Seal.Events, batch.ContentBytes, batch.Reason);
        return null;
    }

    /// <summary>Lays bytes in the quarantine as they are.</summary>
    /// <returns>As <see cref="TryStoreAsync"/>.</returns>
    internal async Task<StorageException?> TryQuarantineAsync(string key, byte[] bytes, string reason, CancellationToken cancellationToken)
    {
        Seal seal;
        using (var stream = new MemoryStream(bytes, writable: false))
        {
            seal = ContentCheck.SealOfBytes(stream, events: 0);
        }

        var content = new ObjectContent(() => new MemoryStream(bytes, writable: false), seal, IsGzip: false, reason);
        (_, StorageException? error) = await TryWriteAsync(key, content, new BatchTrace(key, 1), cancellationToken).ConfigureAwait(false);
        if (error is null)
        {
            instruments.OnQuarantined();
        }

        return error;
    }

    /// <summary>A segment of the spool was found damaged.</summary>
    internal void OnDamaged() => instruments.OnSegmentDamaged();

    /// <summary>Whether the object under a key is the one that was sealed so.</summary>
    /// <exception cref="StorageException">The store did not answer.</exception>
    internal Task<bool> IsStoredAsync(string key, Seal seal, CancellationToken cancellationToken) =>
        writer.IsThereAsync(key, seal, cancellationToken);

    private async Task<(string? Key, StorageException? Error)> TryWriteAsync(
        string key, ObjectContent content, BatchTrace trace, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        using Activity? activity = EstatActivities.Storing("estat.upload", key, content, trace);
        try
        {
            string stored = await writer.WriteAsync(key, content, cancellationToken).ConfigureAwait(false);
            storage.OnAnswer();
            instruments.OnUploadEnded(time.GetElapsedTime(started), succeeded: true);
            return (stored, null);
        }
        catch (StorageException error)
        {
            storage.OnFailed(key, error);
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            instruments.OnUploadEnded(time.GetElapsedTime(started), succeeded: false);
            return (null, error);
        }
        catch (OperationCanceledException)
        {
            return (null, new StorageException(StorageFailure.Transient, "the upload was ended because the node is stopping"));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Stored {Key}: {Events} events, {Bytes} bytes, flushed by {Reason}")]
    private static partial void LogStored(ILogger logger, string key, long events, long bytes, FlushReason reason);
}
