// One waiting segment's way into the store.
using Estat.Base.Threading;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Lake.Names;

namespace Estat.Collect.Uploading;

internal sealed partial class SpoolBacklog
{
    // Lines that no compressor takes after that go to the quarantine as they are.
    private const int AttemptsToCompress = 3;

    private async Task<Attempt> UploadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        using RecoveredSegment recovered = await ReadAsync(segment, cancellationToken).ConfigureAwait(false);
        CountLate(segment, recovered);
        if (recovered.IsOfOtherVersion)
        {
            // Not ours to delete: the version that wrote it can store it.
            return await TryQuarantineAsync(segment, recovered, recovered.Tail!, cancellationToken).ConfigureAwait(false)
                ? Attempt.Done : Attempt.StorageFailed;
        }

        var attempt = Attempt.Done;
        if (recovered.Key is { } key && (_dlq.Holds(key) || _dlq.WasDiscarded(key)))
        {
            // It was on its way out when the node ended. The DLQ has, and is counted with, all that was acknowledged; the segment may hold events
            // besides whose sync failed: uploaded first, they would make the DLQ's batch a stranger under its own key. What somebody discarded
            // there was counted there, and does not come back from here.
            _ledger.Find(-segment.Events, Place.Spooled);
        }
        else if (recovered.IsDamaged && recovered.Sealed is { } seal && await _store.IsStoredAsync(recovered.Key!, seal, cancellationToken)
            .ConfigureAwait(false))
        {
            // It was uploaded whole before it was damaged: nothing is amiss.
            _ledger.Move(segment.Events, Place.Spooled, Place.Stored);
        }
        else
        {
            attempt = await StoreAsync(segment, recovered, cancellationToken).ConfigureAwait(false);
        }

        if (attempt is Attempt.Done or Attempt.Gone)
        {
            _spool.Delete(segment.Name, segment.Bytes);
            segment.Held?.Dispose();
        }

        return attempt;
    }

    private async Task<RecoveredSegment> ReadAsync(Waiting segment, CancellationToken cancellationToken)
    {
        await _compressing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var hurry = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _endRests.Token);
            RecoveredSegment recovered = await CpuRests.RunAsync(
                afterStep => RecoveredSegment.Read(_spool.Files, segment.Name, _newEncoder, afterStep, segment.Held), _time,
                hurry.Token).ConfigureAwait(false);
            if (recovered.Batch is not { Form: BatchForm.Raw } || segment.Attempts < AttemptsToCompress)
            {
                return recovered;
            }

            // Once more without a compressor: one that broke may have taken lines with it, and here they all are.
            recovered.Dispose();
            return RecoveredSegment.Read(_spool.Files, segment.Name, () => new BatchEncoder(_ => null, _logger, onDropped: null), held: segment.Held);
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
            bool isWhole = !recovered.IsDamaged && segment.Events <= batch.Seal.Events;
            if (await _store.TryStoreAsync(batch, Place.Spooled, cancellationToken, isWhole).ConfigureAwait(false) is { } error)
            {
                // A file without a name ends with the process: the DLQ is on a disk.
                return segment.Held is not null && TryMoveToDlq(batch, error.Message) ? Attempt.Gone : Attempt.StorageFailed;
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
            TellOfDamage(segment, () => (recovered.Key is null ? (Action<ILogger, string, string>)LogEmptied : LogCutShort)(_logger,
                segment.Name, recovered.TailReason));
        }

        if (recovered.HasDamagedVersion)
        {
            TellOfDamage(segment, () => LogVersionDamaged(_logger, segment.Name));
        }

        return Attempt.Done;
    }

    // Once, however often its upload is tried.
    private void TellOfDamage(Waiting segment, Action log)
    {
        if (!segment.IsTold)
        {
            segment.IsTold = true;
            _store.OnDamaged();
            log();
        }
    }

    private bool TryMoveToDlq(SealedBatch batch, string reason)
    {
        try
        {
            _dlq.Add(batch, reason, Place.Spooled);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogAttemptFailed(_logger, batch.Key, error.Message);
            return false;
        }
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
        string batch = recovered.Key ?? $"{_spool.Id}_{segment.Name}";
        string key = _quarantine.For(ObjectKeys.WithSuffix(batch, "_tail"), BatchForm.Raw);
        if (await _store.TryQuarantineAsync(key, tail, recovered.TailReason, cancellationToken).ConfigureAwait(false) is not null)
        {
            return false;
        }

        if (recovered.IsOfOtherVersion)
        {
            TellOfDamage(segment, () => LogOtherVersion(_logger, segment.Name, key));
        }
        else if (recovered.IsDamaged)
        {
            TellOfDamage(segment, () => LogDamaged(_logger, segment.Name, key, recovered.TailReason));
        }
        else
        {
            LogTailCut(_logger, segment.Name, tail.Length, key);
        }

        return true;
    }
}
