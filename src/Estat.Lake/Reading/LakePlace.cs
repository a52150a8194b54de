// Where the objects are that a reader of the lake looks at.
using Estat.Base.Options;
using Estat.Base.Storage;

namespace Estat.Lake.Reading;

/// <summary>A store and the prefix below which its objects lie. Owns the store.</summary>
/// <param name="Store">The store.</param>
/// <param name="Prefix">Begins every key, as a folder does: with a slash at its end, or "".</param>
/// <param name="Quarantine">The prefix of the quarantine, as a folder.</param>
public sealed record LakePlace(IObjectCatalog Store, string Prefix, string Quarantine) : IDisposable
{
    private const string S3Scheme = "s3://";

    /// <summary>What names a place, for messages.</summary>
    public const string Takes = "s3://BUCKET, s3://BUCKET/PREFIX or a folder";

    /// <summary>For people: <c>s3://events/raw/</c>, <c>/srv/data/raw/</c>.</summary>
    public string Description => $"{Store.Description}/{Prefix}";

    /// <summary>The place that a node with these options writes to.</summary>
    /// <exception cref="IOException">There is no such folder.</exception>
    public static LakePlace Of(StorageOptions options) => Of(options, options.RawBucket, options.StorageDir, prefix: null, mustExist: true);

    /// <summary>A place that is named.</summary>
    /// <param name="text"><see cref="Takes"/>. Without a prefix: <c>RAW_PREFIX</c>.</param>
    /// <param name="options">The rest: region, endpoint, time limit, prefixes.</param>
    /// <param name="mustExist">Whether a folder that is not there is an error; else it is made.</param>
    /// <exception cref="OptionException">It is no place.</exception>
    /// <exception cref="IOException">There is no such folder.</exception>
    public static LakePlace Parse(string text, StorageOptions options, bool mustExist = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.StartsWith(S3Scheme, StringComparison.Ordinal))
        {
            return text.Length > 0 && !text.Contains("://", StringComparison.Ordinal)
                ? Of(options, bucket: null, text, prefix: null, mustExist)
                : throw new OptionException($"{text}: must be {Takes}");
        }

        (string bucket, string below) = BucketName.Split(text[S3Scheme.Length..]);
        if (bucket.Length == 0 || !BucketName.IsValid(bucket))
        {
            throw new OptionException($"{text}: must be {Takes}");
        }

        string? prefix = below.Trim('/').Length > 0 ? below.Trim('/') + "/" : null;
        return Of(options, bucket, folder: "", prefix, mustExist);
    }

    /// <inheritdoc/>
    public void Dispose() => Store.Dispose();

    private static LakePlace Of(StorageOptions options, string? bucket, string folder, string? prefix, bool mustExist)
    {
        IObjectCatalog store = bucket is not null ? new S3ObjectStore(options with { RawBucket = bucket }, TimeProvider.System)
            : mustExist ? FolderObjectStore.Existing(folder)
            : new FolderObjectStore(folder, TimeProvider.System);
        return new LakePlace(store, prefix ?? options.RawPrefix + "/", options.DlqPrefix + "/");
    }
}
