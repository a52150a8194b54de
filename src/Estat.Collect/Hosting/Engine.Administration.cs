// What the operator asks of its engine.
using Estat.Base.Storage;
using Estat.Collect.Metrics;
using Estat.Collect.Recovery;
using Estat.Collect.Uploading;

namespace Estat.Collect.Hosting;

public sealed partial class Engine
{
    /// <summary>What this process stored last.</summary>
    public StoredObjects Objects { get; } = new();

    /// <summary>The DLQ, to look at and to give orders about.</summary>
    public DlqOffice Dlq { get; }

    /// <summary>The quarantine, to look at and to give orders about; null when the store cannot be looked through.</summary>
    public Quarantine? Quarantine { get; }

    /// <summary>The store, to look through; null when it cannot be.</summary>
    public IObjectCatalog? Catalog => _store as IObjectCatalog;

    /// <inheritdoc/>
    IReadOnlyList<(string Name, bool IsGone)> INodeReadings.FoldersGone =>
        [("spool", _spool.IsGone), ("dlq", _dlq.IsGone), .. _replication is null ? [] : new[] { ("replicas", _replication.IsGone) }];

    /// <summary>DLQ_MAX_SIZE_BYTES.</summary>
    internal long DlqMaxBytes => _options.DlqMaxSizeBytes;

    /// <summary>Why the last upload failed; null while uploads succeed.</summary>
    internal string? StorageFault => _storage.Fault?.Message;

    /// <summary>Ends every open batch, so that it is uploaded now and not at FLUSH_INTERVAL.</summary>
    public FlushedBatches Flush()
    {
        int batches = 0;
        long events = 0;
        foreach (PartitionWriters one in _partitions)
        {
            if (one.Partition.Flush(FlushReason.Operator) is { } ended)
            {
                batches++;
                events += ended;
            }
        }

        return new FlushedBatches(batches, events);
    }

    /// <summary>If storage answers, all that waits on this node's disk is due now: batches in the spool, and files of the DLQ.</summary>
    /// <exception cref="IOException">The DLQ's folder cannot be read.</exception>
    public async Task<RetriedUploads> RetryAsync()
    {
        int waiting = SpoolWaiting; // before they are due, as the first may leave at once
        string? fault = await RecoverAsync().ConfigureAwait(false);
        return fault is null ? new RetriedUploads(waiting, Dlq.RetryAll(), null) : new RetriedUploads(0, 0, fault);
    }

    /// <summary>
    /// Whether storage does what is promised. While an upload that failed waits for its next try, its error is the answer, whatever a probe would
    /// say; otherwise a probe is, which also ends an outage that nothing is left of to be tried again.
    /// </summary>
    /// <returns>Null when it does.</returns>
    public async Task<StorageException?> AskStorageAsync()
    {
        bool waits = _dlq.Files > 0 || SpoolWaiting > 0 || !_uploader.IsIdle;
        if (waits && _storage.Fault is { } fault)
        {
            return fault;
        }

        StorageException? found = await Sink.AskAsync(isDoubted: _storage.Fault is not null).ConfigureAwait(false);
        if (found is null && !waits)
        {
            _storage.OnAnswer();
        }

        return found;
    }
}

/// <summary>Batches that an order ended.</summary>
/// <param name="Batches">How many.</param>
/// <param name="Events">Events in them.</param>
public readonly record struct FlushedBatches(int Batches, long Events);

/// <summary>What an order to try again made due.</summary>
/// <param name="Segments">Batches in the spool.</param>
/// <param name="Files">Files of the DLQ.</param>
/// <param name="Fault">Why storage does not answer, so that nothing was made due; null when it does.</param>
public readonly record struct RetriedUploads(int Segments, int Files, string? Fault);
