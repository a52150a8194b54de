// Who hears what became of batches and dead letters.
namespace Estat.Collect.Uploading;

/// <summary>Told by whoever stores; on any thread.</summary>
internal interface IStoredObserver
{
    /// <summary>An object lies under RAW_PREFIX.</summary>
    void OnStored(StoredObject stored);

    /// <summary>A batch or a file of the DLQ went to the quarantine.</summary>
    /// <param name="key">The object's key there.</param>
    /// <param name="events">Its events.</param>
    void OnQuarantined(string key, long events);

    /// <summary>A batch is safe in the store or in the quarantine with all that was acknowledged in it, or was discarded: copies may go.</summary>
    /// <param name="key">The batch's key.</param>
    void OnSafe(string key);
}

/// <summary>Nobody.</summary>
internal sealed class NoObserver : IStoredObserver
{
    /// <inheritdoc/>
    public void OnStored(StoredObject stored)
    {
    }

    /// <inheritdoc/>
    public void OnQuarantined(string key, long events)
    {
    }

    /// <inheritdoc/>
    public void OnSafe(string key)
    {
    }
}
