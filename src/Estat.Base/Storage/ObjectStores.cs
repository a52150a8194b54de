// Which store the options name.
namespace Estat.Base.Storage;

/// <summary>The one place that chooses between S3 and a folder.</summary>
public static class ObjectStores
{
    /// <summary>The bucket, or the folder if no bucket is named. No request is sent yet; the folder is made if it is not there.</summary>
    public static IObjectCatalog Open(StorageOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.RawBucket is null ? new FolderObjectStore(options.StorageDir, time) : new S3ObjectStore(options, time);
    }
}
