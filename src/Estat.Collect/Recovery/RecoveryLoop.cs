// Uploads what lies in the DLQ, a file a tick while uploads are idle, faster as long as it succeeds.
using System.Diagnostics;
using Estat.Base.Files;
using Estat.Base.Logging;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Recovery;

/// <summary>
/// A file is read to its end first: sound, it goes to RAW under its own key; unsound, to the quarantine under its name. Both are conditional creates,
/// so a crash at any point between upload and removal costs a repeated attempt and never a second object. One loop per node.
/// </summary>
internal sealed partial class RecoveryLoop
{
    private readonly CollectOptions _options;
    private readonly DlqDirectory _dlq;
    private readonly ObjectWriter _writer;
    private readonly QuarantineKeys _quarantine;
    private readonly ObjectKeys _keys;
    private readonly EstatInstruments _instruments;
    private readonly Func<bool> _uploadsAreIdle;
    private readonly StorageState _storage;
    private readonly IStoredObserver _observer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _stocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DlqPutOff _putOff;
    private readonly ToldFault _folderFault = new();
    private readonly ToldFault _notNoted = new();
    private CancellationToken _stop;

    internal RecoveryLoop(
        CollectOptions options, DlqDirectory dlq, ObjectWriter writer, QuarantineKeys quarantine, ObjectKeys keys,
        EstatInstruments instruments, Func<bool> uploadsAreIdle, StorageState storage, IStoredObserver observer, TimeProvider time, ILogger logger)
    {
        _options = options;
        _dlq = dlq;
        _writer = writer;
        _quarantine = quarantine;
        _keys = keys;
        _instruments = instruments;
        _uploadsAreIdle = uploadsAreIdle;
        _storage = storage;
        _observer = observer;
        _time = time;
        _logger = logger;
        _putOff = new DlqPutOff(time);
    }

    /// <summary>Takes stock of the folder, then ticks until cancelled; an attempt in progress is ended by the cancellation.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(() => _dlq.TakeStock(cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogScanFailed(_logger, error.Message, _dlq.Folder);
        }

        _stop = cancellationToken;
        _stocked.TrySetResult();
        try
        {
            await TickUntilAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _dlq.Claims.CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tries one file now, whether it is due or not. As with the loop's own attempts, one that fails is put off.</summary>
    /// <param name="payload">Its path.</param>
    internal async Task<OrderResult> RetryAsync(string payload)
    {
        using Claims.Claim? claim = TryClaim(payload, out OrderResult? refusal);
        if (claim is null)
        {
            return refusal!;
        }

        if (!File.Exists(payload))
        {
            return new OrderResult(OrderEnd.Missing);
        }

        try
        {
            return await RecoverAsync(payload, _stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return new OrderResult(OrderEnd.NotNow);
        }
        catch (Exception error)
        {
            TellOfTrouble(payload, error.Message);
            return new OrderResult(OrderEnd.Failed, Detail: error.Message);
        }
    }

    /// <summary>Holds a file, so that nobody else tries or removes it; null with the reason.</summary>
    internal Claims.Claim? TryClaim(string payload, out OrderResult? refusal)
    {
        // Before the folder was counted, what leaves it would be counted as gone and never as found.
        if (!_stocked.Task.IsCompleted || _stop.IsCancellationRequested)
        {
            refusal = new OrderResult(OrderEnd.NotNow);
            return null;
        }

        Claims.Claim? claim = TryClaim(payload);
        refusal = claim is null ? new OrderResult(OrderEnd.Busy) : null;
        return claim;
    }

    // By its name: there may be two ways to the folder.
    private Claims.Claim? TryClaim(string payload) => _dlq.Claims.TryTake(Path.GetFileName(payload));

    private async Task TickUntilAsync(CancellationToken cancellationToken)
    {
        using var scan = new DlqScan(() => _dlq.Way, _time, Backoff.Dlq.Longest);
        using var ticks = new PeriodicTimer(_options.RecoveryInterval, _time);
        while (await ticks.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                _dlq.MeasureFreeSpace(); // at each step: a DLQ of many files takes long to empty, and new requests wait for its room
            }
            while (await TickAsync(scan, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>One step.</summary>
    /// <returns>Whether a file left the DLQ, so that the next may be tried at once.</returns>
    internal async Task<bool> TickAsync(DlqScan scan, CancellationToken cancellationToken)
    {
        if (!_uploadsAreIdle() || _dlq.IsGone)
        {
            return false;
        }

        string? payload = null;
        try
        {
            payload = _putOff.NextOf(scan);
            _folderFault.End();
            if (payload is null)
            {
                return false;
            }

            using Claims.Claim? claim = TryClaim(payload);
            if (claim is null || !File.Exists(payload))
            {
                return false; // somebody is at it, or was
            }

            await RecoverAsync(payload, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StorageException error)
        {
            // An outage is told by StorageState, once for all files. A refusal is this file's own: told when it is another than last time.
            bool isNews = Reschedule(payload!, error.Message) == true;
            if (isNews && error.Failure == StorageFailure.Refused)
            {
                LogAttemptFailed(_logger, payload!, error.Message);
            }
            else
            {
                LogStorageFailed(_logger, payload!, error.Message);
            }

            return false;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever is wrong with one file, such as a key in its meta that no store takes, keeps none of the others from its turn.
            TellOfTrouble(payload, error.Message);
            return false;
        }
    }

    private async Task<OrderResult> RecoverAsync(string payload, CancellationToken cancellationToken)
    {
        string name = ObjectKeys.NameOf(Path.GetFileName(payload));
        MetaReading reading = DlqDirectory.LookAtMeta(payload);
        if (reading.IsKept)
        {
            throw new IOException(reading.Trouble);
        }

        DlqMeta? meta = AlarmIfExpired(payload, reading.Meta);
        (Seal? seal, string? fault) = await CpuRests.RunAsync(afterStep => Examine(payload, meta, afterStep), _time, cancellationToken)
            .ConfigureAwait(false);
        if (seal is not null)
        {
            if (meta is null)
            {
                LogMetaMissing(_logger, payload);
            }

            string key = meta?.Key ?? _keys.ForName(name, ObjectKeys.OpenedOf(name) ?? File.GetLastWriteTimeUtc(payload));
            var content = new ObjectContent(() => Open(_dlq.Now(payload)), seal, IsGzip: true);
            string stored = await WriteAsync(key, content, new BatchTrace(key, 1 + (meta?.Attempts ?? 0)), cancellationToken).ConfigureAwait(false);
            _observer.OnSafe(key);
            long bytes = new FileInfo(_dlq.Now(payload)) is { Exists: true } file ? file.Length : 0;
            _observer.OnStored(StoredObject.Of(stored, seal, bytes, meta?.Created ?? ObjectKeys.OpenedOf(name) ?? _time.GetUtcNow(), _time));
            _dlq.Remove(payload, seal.Events, Place.Stored); // only now, as an attempt may fail and be repeated
            _putOff.Forget(payload);
            LogRecovered(_logger, stored, seal.Events, meta?.Attempts ?? 0);
            return new OrderResult(OrderEnd.Stored, seal.Events);
        }
        else
        {
            long events = meta?.NumEvents ?? 0;
            string key = _quarantine.For(meta?.Key ?? name, meta?.Form ?? BatchForm.Gzip);
            var content = new ObjectContent(() => Open(_dlq.Now(payload)), SealOfUnsound(payload, events), IsGzip: false, fault);
            string stored = await WriteAsync(key, content, new BatchTrace(meta?.Key ?? key, 1 + (meta?.Attempts ?? 0)), cancellationToken)
                .ConfigureAwait(false);
            if (_dlq.Remove(payload, meta?.NumEvents, Place.Quarantined) is not null)
            {
                _observer.OnQuarantined(stored, events);
            }

            _putOff.Forget(payload);
            _instruments.OnQuarantined();
            LogQuarantined(_logger, payload, stored, fault!);
            return new OrderResult(OrderEnd.Quarantined, events, fault);
        }
    }

    private async Task<string> WriteAsync(string key, ObjectContent content, BatchTrace trace, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        using Activity? activity = EstatActivities.Storing("estat.recover", key, content, trace);
        try
        {
            string stored = await _writer.WriteAsync(key, content, cancellationToken).ConfigureAwait(false);
            _storage.OnAnswer();
            _instruments.OnUploadEnded(_time.GetElapsedTime(started), succeeded: true);
            return stored;
        }
        catch (StorageException error)
        {
            activity?.SetStatus(ActivityStatusCode.Error, error.Message);
            _instruments.OnUploadEnded(_time.GetElapsedTime(started), succeeded: false);
            if (error.Failure != StorageFailure.Refused) // what is wrong with one file says nothing of the store
            {
                _storage.OnFailed(key, error);
            }

            throw;
        }
    }

    // Either the seal of sound content, or what is wrong with it.
    private static (Seal? Seal, string? Fault) Examine(string payload, DlqMeta? meta, Action? afterStep)
    {
        if (meta?.Form == BatchForm.Raw)
        {
            return (null, "gzip failed when the batch was written");
        }

        using Stream content = Open(payload);
        Seal seal;
        try
        {
            seal = ContentCheck.Validate(content, afterStep);
        }
        catch (InvalidDataException error)
        {
            return (null, error.Message);
        }

        return meta is not null && (meta.Sha256 != seal.Sha256 || meta.NumEvents != seal.Events)
            ? (null, $"it has {seal.Events} lines, but its meta file says {meta.NumEvents}")
            : (seal with { LastSequence = meta?.LastSequence ?? seal.LastSequence }, null);
    }

    // As a folder store computes it from the object, so that a repeated attempt knows its own object again.
    private static Seal SealOfUnsound(string payload, long events) =>
        ContentCheck.SealOf(() => Open(payload)) with { Events = events, LastSequence = events };

    internal static FileStream Open(string path) => RegularFile.OpenRead(path);

    // Age alarms once per file and changes nothing else: what was acknowledged is uploaded however old it is.
    private DlqMeta? AlarmIfExpired(string payload, DlqMeta? meta)
    {
        if (meta is null || meta.Expired || _time.GetUtcNow() - meta.Created < _options.DlqMaxAge)
        {
            return meta;
        }

        try
        {
            meta = meta with { Expired = true };
            DlqDirectory.WriteMeta(payload, meta);
            _notNoted.End();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A full disk takes no mark. The upload matters more: it is what makes room.
            if (_notNoted.IsNews())
            {
                LogAlarmNotNoted(_logger, payload, error.Message);
            }

            return meta;
        }

        _instruments.OnDlqFileExpired();
        LogExpired(_logger, payload, meta.Created);
        return meta;
    }

    // When it is another trouble than last time.
    private void TellOfTrouble(string? payload, string fault)
    {
        bool isNews = payload is null ? _folderFault.IsNews(fault) : Reschedule(payload, fault) ?? _putOff.Add(payload, fault);
        if (isNews)
        {
            LogAttemptFailed(_logger, payload ?? _dlq.Folder, fault);
        }
    }

    // Whether the file's meta gave another reason until now, which is news; null when nothing could be noted.
    private bool? Reschedule(string payload, string reason)
    {
        try
        {
            payload = _dlq.Now(payload);
            DlqMeta? meta = DlqDirectory.ReadMeta(payload);
            if (meta is null)
            {
                return null; // due again on the next round over the folder
            }

            int attempts = meta.Attempts + 1;
            DlqDirectory.WriteMeta(
                payload, meta with { Attempts = attempts, Reason = reason, NextDue = _time.GetUtcNow() + Backoff.Dlq.After(attempts) });
            _notNoted.End();
            return meta.Reason != reason;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A full disk takes no new meta: the file stays due, and each tick tries one file only.
            if (_notNoted.IsNews())
            {
                LogRescheduleFailed(_logger, payload, error.Message);
            }

            return null;
        }
    }
}
