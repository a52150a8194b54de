// Objects to another place, byte by byte under the same keys.
using Estat.Base.Storage;
using Estat.Lake.Reading;

namespace Estat.Lake.Replaying;

/// <summary>How an object's copy ended.</summary>
internal enum CopyOutcome
{
    /// <summary>It is there now.</summary>
    Copied,

    /// <summary>It was there already, the same.</summary>
    Equal,

    /// <summary>Something else is there; nothing was changed.</summary>
    Differs,

    /// <summary>It was gone when it should have been read, or is a marker of another tool.</summary>
    Gone,

    /// <summary>The store does not give it, or not what lies in the copy's place.</summary>
    Unreadable,
}

/// <summary>What became of a copy.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Why">Of what could not be read: what the store says.</param>
internal sealed record CopyResult(CopyOutcome Outcome, string? Why = null);

/// <summary>
/// Copies by conditional create, so that it is exact under any interruption, kill -9 as well: what is there already is recognised and not written
/// again. The seal goes along; where the source keeps none it is computed. Safe for concurrent use.
/// </summary>
/// <param name="from">Where they lie.</param>
/// <param name="to">Where they go.</param>
/// <param name="rename">From a key to that of its copy.</param>
/// <param name="dryRun">Looks what is there and creates nothing.</param>
internal sealed class BucketCopy(IObjectCatalog from, IObjectCatalog to, Func<string, string> rename, bool dryRun)
{
    private readonly ObjectReads _fromReads = new(from);
    private readonly ObjectReads _toReads = new(to);

    /// <summary>Copies one object.</summary>
    /// <exception cref="StorageException">Either store refuses everything, or did not answer however often it was asked.</exception>
    internal async Task<CopyResult> CopyAsync(ObjectEntry entry)
    {
        if (FolderMarker.Is(entry))
        {
            return new CopyResult(CopyOutcome.Gone);
        }

        (FetchedObject? fetched, string? refusal) = await _fromReads.GetAsync(entry.Key, CancellationToken.None).ConfigureAwait(false);
        using (fetched)
        {
            if (fetched is not null && fetched.Bytes != entry.Bytes)
            {
                // Objects never change: this is another's answer, a portal's page for one, and a copy of it would stand for the object.
                string why =
                    $"GET gave {fetched.Bytes} bytes of the {entry.Bytes} that the listing names. Find out what answers instead of the store";
                return new CopyResult(CopyOutcome.Unreadable, why);
            }

            return fetched is not null ? await CopyAsync(rename(entry.Key), fetched).ConfigureAwait(false)
                : new CopyResult(refusal is null ? CopyOutcome.Gone : CopyOutcome.Unreadable, refusal);
        }
    }

    private async Task<CopyResult> CopyAsync(string key, FetchedObject fetched)
    {
        bool isGzip = IsGzip(fetched);
        Seal seal = fetched.Seal ?? ContentCheck.SealOf(fetched.OpenRead);
        if (dryRun)
        {
            return await IsThereAsync(key, fetched).ConfigureAwait(false);
        }

        var content = new ObjectContent(fetched.OpenRead, seal, isGzip, fetched.Reason);
        CreateOutcome outcome = await FetchedObject.RetryAsync(() => to.CreateAsync(key, content, CancellationToken.None), CancellationToken.None)
            .ConfigureAwait(false);
        return outcome == CreateOutcome.Created ? new CopyResult(CopyOutcome.Copied) : await IsThereAsync(key, fetched).ConfigureAwait(false);
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
    private async Task<CopyResult> IsThereAsync(string key, FetchedObject mine)
    {
        (FetchedObject? theirs, string? refusal) = await _toReads.GetAsync(key, CancellationToken.None).ConfigureAwait(false);
        using (theirs)
        {
            return theirs is not null ? new CopyResult(AreEqual(mine, theirs) ? CopyOutcome.Equal : CopyOutcome.Differs)
                : refusal is null ? new CopyResult(CopyOutcome.Copied) // in a dry run: it would be
                : new CopyResult(CopyOutcome.Unreadable, $"there is something under {key} already, and it cannot be compared: {refusal}");
        }
    }

    private static bool AreEqual(FetchedObject mine, FetchedObject theirs)
    {
        using Stream a = mine.OpenRead();
        using Stream b = theirs.OpenRead();
        return mine.Bytes == theirs.Bytes
            && System.Security.Cryptography.SHA256.HashData(a).AsSpan().SequenceEqual(System.Security.Cryptography.SHA256.HashData(b));
    }
}
