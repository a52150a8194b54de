// All instruments of a node. Names without estat_ (s3_, dlq_, …) are part of the contract: dashboards and alerts use them.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;
using Estat.Collect.Conservation;
using Estat.Http.Metrics;

namespace Estat.Collect.Metrics;

/// <summary>
/// Whatever happens per batch is recorded here as it happens; whatever happens per event is counted in cells elsewhere and only read here, when a
/// reader asks. Every node has its own <see cref="Meter"/>.
/// </summary>
public sealed class EstatInstruments : IDisposable
{
    private const string Seconds = "s";
    private const string Bytes = "By";

    // Upload and queue times: from a local disk's millisecond to S3_TIMEOUT times its retries.
    private static readonly InstrumentAdvice<double> SlowBuckets =
        new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] };

    // Acks: from a microsecond in memory to a slow sync.
    private static readonly InstrumentAdvice<double> FastBuckets =
        new() { HistogramBucketBoundaries = [0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1] };

    private readonly Counter<long> _putErrors;
    private readonly Counter<long> _batchesSealed;
    private readonly Counter<long> _linesBytes;
    private readonly Counter<long> _contentBytes;
    private readonly Counter<long> _keyConflicts;
    private readonly Counter<long> _dlqFilesExpired;
    private readonly Counter<long> _dlqWriteErrors;
    private readonly Counter<long> _filesQuarantined;
    private readonly Histogram<double> _uploadDuration;
    private readonly Histogram<double> _queueWait;
    private readonly Histogram<double> _ackDuration;
    private readonly Histogram<double> _spoolSync;
    private readonly Counter<long> _spoolErrors;
    private readonly Counter<long> _segmentsDamaged;
    private readonly Counter<long> _replicaDegraded;
    private long _sealed;

    /// <summary>Makes the instruments that are recorded; <see cref="Observe"/> adds those that are read.</summary>
    public EstatInstruments()
    {
        Meter = new Meter(EstatActivities.SourceName);
        _putErrors = Meter.CreateCounter<long>("s3_put_errors_total", description: "Uploads that failed, each attempt counted");
        _batchesSealed = Meter.CreateCounter<long>("estat_batches_sealed_total", description: "Batches, by what flushed them");
        _linesBytes = Meter.CreateCounter<long>("estat_batch_lines_bytes_total", Bytes, "Uncompressed JSONL in sealed batches");
        _contentBytes = Meter.CreateCounter<long>("estat_batch_content_bytes_total", Bytes, "Size of sealed batches after gzip");
        _keyConflicts = Meter.CreateCounter<long>("estat_key_conflicts_total",
            description: "Object keys where a node found an object of another writer: something else writes to the prefix");
        _dlqFilesExpired = Meter.CreateCounter<long>("dlq_files_expired_total", description: "DLQ files found older than DLQ_MAX_AGE");
        _dlqWriteErrors = Meter.CreateCounter<long>("estat_dlq_write_errors_total",
            description: "Batches that the DLQ's disk refused, each attempt counted");
        _filesQuarantined = Meter.CreateCounter<long>("estat_files_quarantined_total",
            description: "Batches and DLQ files that went to the quarantine");
        _uploadDuration = Meter.CreateHistogram("estat_upload_duration_seconds", Seconds, "Time of one upload attempt", advice: SlowBuckets);
        _queueWait = Meter.CreateHistogram(
            "estat_upload_queue_wait_seconds", Seconds, "Time that a sealed batch waited for an uploader", advice: SlowBuckets);
        _ackDuration = Meter.CreateHistogram(
            "estat_ack_duration_seconds", Seconds, "From the request's headers to its answer, every 64th accepted request", advice: FastBuckets);
        _spoolSync = Meter.CreateHistogram(
            "estat_spool_flush_seconds", Seconds, "Time of one group commit to the spool: write and fdatasync", advice: FastBuckets);
        _spoolErrors = Meter.CreateCounter<long>("estat_spool_errors_total", description: "Writes and syncs that the spool's disk refused");
        _segmentsDamaged = Meter.CreateCounter<long>(
            "estat_spool_segments_damaged_total", description: "Segments in which a disk changed or lost bytes after their sync");
        _replicaDegraded = Meter.CreateCounter<long>(
            "estat_replica_degraded_events_total", description: "Events that asked for replica and were acknowledged at disk: REPLICA_DEGRADED=disk");
        foreach (FlushReason reason in Enum.GetValues<FlushReason>())
        {
            _batchesSealed.Add(0, Tag("reason", Label(reason)));
        }
    }

    /// <summary>The node's meter.</summary>
    public Meter Meter { get; }

    /// <summary>The last acks that were timed.</summary>
    public DurationSamples Acks { get; } = new(8192, TimeProvider.System);

    /// <summary>The last uploads that succeeded.</summary>
    public DurationSamples Uploads { get; } = new(256, TimeProvider.System);

    /// <summary>Batches sealed since the start.</summary>
    public long BatchesSealed => Volatile.Read(ref _sealed);

    /// <summary>Adds the instruments that are read from the node when asked for.</summary>
    /// <param name="readings">Where to read.</param>
    internal void Observe(INodeReadings readings)
    {
        ObserveRequests(readings.Requests, () => readings.AcceptedRequests, () => readings.IsReady);
        Ledger ledger = readings.Ledger;
        Count("s3_events_stored_total", "Events stored in RAW", () => ledger.Arrived(Place.Stored));
        Count("dlq_events_enqueued_total", "Events that went to the DLQ", () => ledger.Arrived(Place.Dlq));
        Count("dlq_events_reuploaded_total", "Events that recovery moved from the DLQ to RAW", () => ledger.Moved(Place.Dlq, Place.Stored));
        Count("dlq_events_dropped_total", "Events that will not be stored: evicted, discarded or lost", () => ledger.Arrived(Place.Dropped));
        Meter.CreateObservableGauge("estat_events", () => PerPlace(ledger.Read()),
            description: "Where events are, in one consistent reading: accepted + found = stored + buffered + spooled + dlq + quarantined + dropped");

        Gauge("dlq_files_current", "Payload files in the DLQ", () => readings.DlqFiles);
        Gauge("dlq_size_bytes", "Their size", () => readings.DlqBytes);
        Gauge("estat_spool_bytes", "Size of the spool's segments", () => readings.SpoolBytes);
        Gauge("estat_spool_waiting_segments", "Sealed batches that wait in the spool, without memory", () => readings.SpoolWaiting);
        Gauge("estat_replicas_held", "Copies of other silos' batches", () => readings.ReplicasHeld);
        Gauge(
            "estat_under_replicated_events", "Events acknowledged at replica, not stored yet, and with only one copy left",
            () => readings.UnderReplicated);
        Gauge("estat_spool_max_bytes", "SPOOL_MAX_SIZE_BYTES", () => readings.Bounds.SpoolMaxSizeBytes);
        Gauge("estat_dlq_max_bytes", "DLQ_MAX_SIZE_BYTES", () => readings.Bounds.DlqMaxSizeBytes);
        Meter.CreateObservableGauge<long>("estat_disk_free_bytes",
            () => [new(readings.SpoolDiskFree, Tag("disk", "spool")), new(readings.DlqDiskFree, Tag("disk", "dlq"))],
            description: "Free space on the disks of SPOOL_DIR and DLQ_DIR");
        Gauge("estat_disk_min_free_bytes", "DISK_MIN_FREE_BYTES", () => readings.Bounds.DiskMinFreeBytes);
        Meter.CreateObservableGauge("estat_flush_interval_seconds", () => readings.Bounds.FlushInterval.TotalSeconds, description: "FLUSH_INTERVAL");
        Gauge("estat_spool_failing", "1 while the spool's disk fails", () => readings.SpoolFails ? 1 : 0);
        Meter.CreateObservableGauge<long>("estat_folder_gone",
            () => readings.FoldersGone.Select(folder => new Measurement<long>(folder.IsGone ? 1 : 0, Tag("folder", folder.Name))),
            description: "1 while a folder in which this node keeps events was removed or replaced");
        Gauge("estat_buffered_bytes", "Memory of events that wait for their partition's writer", () => readings.BufferedBytes);
        Gauge("estat_upload_queue_depth", "Sealed batches that wait for an uploader", () => readings.UploadQueueDepth);
        Gauge(
            "estat_storage_failing", "1 while storage fails: the last upload failed, and recovery has stored nothing since",
            () => readings.StorageFails ? 1 : 0);
        Meter.CreateObservableGauge("estat_oldest_unflushed_seconds", () => readings.OldestUnflushed.TotalSeconds, Seconds,
            "Age of the oldest batch that still takes events");
    }

    /// <summary>Adds what is read of the HTTP path: all that there is to read at a gateway that is no silo.</summary>
    /// <param name="requests">Its counters.</param>
    /// <param name="acceptedRequests">Requests whose events were taken.</param>
    /// <param name="isReady">Whether the node takes events.</param>
    internal void ObserveRequests(RequestCounters requests, Func<long> acceptedRequests, Func<bool> isReady)
    {
        Count("http_requests_total", "Requests to the collecting endpoints", () => requests.Started.Value);
        Count("http_requests_accepted_total", "Requests whose events were taken", acceptedRequests);
        Count("http_requests_rejected_body_too_large_total", "Requests answered 413", () => requests.TooLarge.Value);
        Count("http_requests_rejected_queue_full_total", "Requests answered 503 because the queue was full", () => requests.QueueFull.Value);
        Count("estat_http_requests_rejected_storage_full_total", "Requests answered 503 because spool, DLQ or their disk was full",
            () => requests.StorageFull.Value);
        Count("estat_http_requests_rejected_disk_failed_total", "Requests answered 503 because the spool's disk failed",
            () => requests.DiskFailed.Value);
        Count("estat_http_requests_rejected_draining_total", "Requests answered 503 because the node was draining", () => requests.Draining.Value);
        Count("estat_http_requests_rejected_no_replica_total", "Requests answered 503 because no other silo held a copy",
            () => requests.NoReplica.Value);
        Count("estat_http_requests_rejected_no_silo_total", "Requests answered 503 because no silo could be reached", () => requests.NoSilo.Value);
        Count("estat_http_requests_rejected_unknown_total", "Requests answered 503 because a silo failed in the call", () => requests.Unknown.Value);
        Count("estat_http_requests_rejected_no_prefix_total",
            "Requests answered 503 because the node had no partition left for their write key's prefix",
            () => requests.NoPrefix.Value);
        Count("estat_http_requests_rejected_unauthorized_total", "Requests answered 401", () => requests.Unauthorized.Value);
        Count("estat_http_requests_rejected_forbidden_total", "Requests answered 403 because their write key does not allow the page's origin",
            () => requests.Forbidden.Value);
        Count("estat_http_requests_rejected_rate_limited_total", "Requests answered 429", () => requests.RateLimited.Value);
        Count("estat_http_requests_rejected_invalid_total", "Requests answered another 4xx", () => requests.Invalid.Value);
        Count("estat_http_requests_aborted_total", "Requests whose client went away or was too slow", () => requests.Aborted.Value);
        Count("estat_batch_events_rejected_total", "Events rejected by index in an accepted batch", () => requests.EventsRejected.Value);
        Gauge("estat_http_requests_in_flight", "Requests being read or answered", () => requests.InFlight);
        Gauge("estat_ready", "1 while the node takes events", () => isReady() ? 1 : 0);
    }

    /// <summary>An attempt to store a batch ended.</summary>
    internal void OnUploadEnded(TimeSpan duration, bool succeeded)
    {
        _uploadDuration.Record(duration.TotalSeconds, Tag("outcome", succeeded ? "stored" : "failed"));
        if (succeeded)
        {
            Uploads.Add(duration);
        }
        else
        {
            _putErrors.Add(1);
        }
    }

    /// <summary>A batch takes no more events.</summary>
    /// <param name="reason">What ended it.</param>
    /// <param name="linesBytes">Bytes of its JSONL.</param>
    /// <param name="contentBytes">Bytes after gzip.</param>
    internal void OnBatchSealed(FlushReason reason, long linesBytes, long contentBytes)
    {
        Interlocked.Increment(ref _sealed);
        _batchesSealed.Add(1, Tag("reason", Label(reason)));
        _linesBytes.Add(linesBytes);
        _contentBytes.Add(contentBytes);
    }

    /// <summary>An uploader took a batch from the queue.</summary>
    internal void OnBatchDequeued(TimeSpan waited) => _queueWait.Record(waited.TotalSeconds);

    /// <summary>A request's events were acknowledged; called for a sample of them.</summary>
    public void OnAckSampled(TimeSpan duration)
    {
        _ackDuration.Record(duration.TotalSeconds);
        Acks.Add(duration);
    }

    /// <summary>A foreign object lay under a batch's key.</summary>
    internal void OnKeyConflict() => _keyConflicts.Add(1);

    /// <summary>A DLQ file was found older than <c>DLQ_MAX_AGE</c>.</summary>
    internal void OnDlqFileExpired() => _dlqFilesExpired.Add(1);

    /// <summary>The DLQ's disk refused a batch.</summary>
    internal void OnDlqWriteFailed() => _dlqWriteErrors.Add(1);

    /// <summary>A group of events was written to the spool and synced, or was refused.</summary>
    internal void OnSpoolSynced(TimeSpan duration) => _spoolSync.Record(duration.TotalSeconds);

    /// <summary>The spool's disk refused a write or a sync.</summary>
    internal void OnSpoolFailed() => _spoolErrors.Add(1);

    /// <summary>Events that were to have a copy were acknowledged without.</summary>
    internal void OnReplicaDegraded(int events) => _replicaDegraded.Add(events);

    /// <summary>A DLQ file, or a batch that could not be compressed, went to the quarantine.</summary>
    internal void OnQuarantined() => _filesQuarantined.Add(1);

    /// <summary>A segment was found damaged.</summary>
    internal void OnSegmentDamaged() => _segmentsDamaged.Add(1);

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private static IEnumerable<Measurement<long>> PerPlace(Balance balance) =>
    [
        new(balance.Accepted, Tag("place", "accepted")),
        new(balance.Found, Tag("place", "found")),
        new(balance.Stored, Tag("place", "stored")),
        new(balance.Buffered, Tag("place", "buffered")),
        new(balance.Spooled, Tag("place", "spooled")),
        new(balance.Dlq, Tag("place", "dlq")),
        new(balance.Quarantined, Tag("place", "quarantined")),
        new(balance.Dropped, Tag("place", "dropped")),
    ];

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string Label(FlushReason reason) => reason switch
    {
        FlushReason.Count => "count",
        FlushReason.Bytes => "bytes",
        FlushReason.Time => "time",
        FlushReason.Drain => "drain",
        FlushReason.Operator => "operator",
        FlushReason.Awaited => "awaited",
        FlushReason.DiskFailure => "disk_failure",
        FlushReason.PartnerLost => "partner_lost",
        FlushReason.PartnerFound => "partner_found",
        _ => "recovery",
    };

    private void Count(string name, string description, Func<long> read) => Meter.CreateObservableCounter(name, read, description: description);

    private void Gauge(string name, string description, Func<long> read) => Meter.CreateObservableGauge(name, read, description: description);
}
