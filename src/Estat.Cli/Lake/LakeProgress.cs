// How far through a range of objects a verb is.
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Lake.Reading;

namespace Estat.Cli.Lake;

/// <summary>Counts the range in the background, beside the work, so that there is a total; listing costs one request for 1,000 objects.</summary>
internal sealed class LakeProgress(Progress progress)
{
    private long _objects;
    private long _bytes;

    /// <summary>Does the work and counts until it is done.</summary>
    internal async Task<T> WhileCountingAsync<T>(IObjectCatalog store, KeyRange range, Func<Task<T>> work)
    {
        using var done = new CancellationTokenSource();
        Task counting = CountAsync(store, range, done.Token);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
            await counting.ConfigureAwait(false);
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

    private async Task CountAsync(IObjectCatalog store, KeyRange range, CancellationToken cancellationToken)
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
}
