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
