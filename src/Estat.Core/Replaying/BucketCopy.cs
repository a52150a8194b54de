// Objects to another place, byte by byte under the same keys.
using Estat.Core.Batching;
using Estat.Core.Lake;
using Estat.Core.Storage;

namespace Estat.Core.Replaying;

/// <summary>How an object's copy ended.</summary>
internal enum CopyOutcome
{
    /// <summary>It is there now.</summary>
    Copied,

    /// <summary>It was there already, the same.</summary>
    Equal,

    /// <summary>Something else is there; nothing was changed.</summary>
    Differs,

    /// <summary>It was gone when it should have been read.</summary>
    Gone,
}

/// <summary>
/// Copies by conditional create, so that it is exact under any interruption, kill -9 as well: what is there already is recognised and not written again. The seal goes
/// along; where the source keeps none it is computed. Safe for concurrent use.
/// </summary>
/// <param name="from">Where they lie.</param>
/// <param name="to">Where they go.</param>
/// <param name="rename">From a key to that of its copy.</param>
/// <param name="dryRun">Looks what is there and creates nothing.</param>
internal sealed class BucketCopy(IObjectCatalog from, IObjectCatalog to, Func<string, string> rename, bool dryRun)
{
    /// <summary>Copies one object.</summary>
    /// <exception cref="StorageException">Either store refuses, or did not answer however often it was asked.</exception>
    internal async Task<CopyOutcome> CopyAsync(ObjectEntry entry)
    {
        using FetchedObject? fetched = await FetchedObject.GetAsync(from, entry.Key, CancellationToken.None).ConfigureAwait(false);
        if (fetched is null)
        {
            return CopyOutcome.Gone;
        }

        string key = rename(entry.Key);
        bool isGzip = IsGzip(fetched);
        Seal seal = fetched.Seal ?? ContentCheck.SealOf(fetched.OpenRead);
        if (dryRun)
        {
            return await IsThereAsync(key, fetched).ConfigureAwait(false);
        }

        var content = new ObjectContent(fetched.OpenRead, seal, isGzip, fetched.Reason);
        CreateOutcome outcome = await FetchedObject.RetryAsync(() => to.CreateAsync(key, content, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
        return outcome == CreateOutcome.Created ? CopyOutcome.Copied : await IsThereAsync(key, fetched).ConfigureAwait(false);
    }

    private static bool IsGzip(FetchedObject fetched)
    {
        if (fetched.ContentType is not null)
        {
            return fetched.ContentEncoding == "gzip";
        }

        using Stream content = fetched.OpenRead();
        return JsonLines.LooksLikeGzip(content);
    }

    // By their bytes: a seal may be somebody's claim.
    private async Task<CopyOutcome> IsThereAsync(string key, FetchedObject mine)
    {
        using FetchedObject? theirs = await FetchedObject.GetAsync(to, key, CancellationToken.None).ConfigureAwait(false);
        if (theirs is null)
        {
            return CopyOutcome.Copied; // in a dry run: it would be
        }

        using Stream a = mine.OpenRead();
        using Stream b = theirs.OpenRead();
        return mine.Bytes == theirs.Bytes && System.Security.Cryptography.SHA256.HashData(a).AsSpan().SequenceEqual(System.Security.Cryptography.SHA256.HashData(b))
            ? CopyOutcome.Equal
            : CopyOutcome.Differs;
    }
}
