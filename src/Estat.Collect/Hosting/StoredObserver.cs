// What a node does when a batch or a dead letter is stored.
using Estat.Collect.Batching;
using Estat.Collect.Recovery;
using Estat.Collect.Uploading;

namespace Estat.Collect.Hosting;

/// <summary>Remembers it for the operator, and lets go of copies elsewhere.</summary>
internal sealed class StoredObserver(StoredObjects last, Quarantine? quarantine, IBatchCopies? copies) : IStoredObserver
{
    /// <inheritdoc/>
    public void OnStored(StoredObject stored) => last.Add(stored);

    /// <inheritdoc/>
    public void OnQuarantined(string key, long events) => quarantine?.OnArrived(key, events);

    /// <inheritdoc/>
    public void OnSafe(string key) => copies?.OnSafe(key);
}
