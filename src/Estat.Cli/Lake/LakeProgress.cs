// How far through a range of objects a verb is.
using Estat.Cli.Frame;
using Estat.Core.Lake;
using Estat.Core.Storage;

namespace Estat.Cli.Lake;

/// <summary>Counts the range in the background, beside the work, so that there is a total; listing costs one request for 1,000 objects.</summary>
internal sealed class LakeProgress(Progress progress)
{
    private long _objects;
    private long _bytes;

    /// <summary>Objects done.</summary>
    internal long Objects => _objects;

    /// <summary>Begins to count; ends with the work.</summary>
    internal async Task CountAsync(IObjectCatalog store, KeyRange range, CancellationToken cancellationToken)
    {
        try
        {
            (_, long bytes) = await LakeScan.CountAsync(store, range, cancellationToken).ConfigureAwait(false);
            progress.Set(progress.Done, bytes);
        }
        catch (Exception error) when (error is OperationCanceledException or StorageException)
        {
            // No total, no rest of time; what is wrong with the store the work itself will tell.
        }
    }

    /// <summary>One more object is done.</summary>
    internal void OnObject(ObjectEntry entry, string detail)
    {
        _objects++;
        _bytes += entry.Bytes;
        progress.Add(entry.Bytes);
        progress.Detail = $"{Words.Count(_objects, "object")}, {Words.Bytes(_bytes)}{(detail.Length > 0 ? ", " + detail : "")}";
    }
}
