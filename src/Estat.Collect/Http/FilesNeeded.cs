// How many files collecting may have open at once.
using Estat.Base.Access;
using Estat.Collect.Options;

namespace Estat.Collect.Http;

/// <summary>What is kept of the process' limit before connections get their share.</summary>
internal static class FilesNeeded
{
    // Prefixes of write keys that a process may come to hold, each at two levels with a segment of its own (PrefixPartitions).
    private const int OfPrefixes = 32 * 2;

    // A segment that is read, the connection to the store, and a file of a folder of objects.
    private const int EachUpload = 3;

    /// <summary>Files at the most, apart from connections.</summary>
    internal static int Of(CollectOptions options, WriteKeyOptions keys)
    {
        int partitions = (2 * options.Partitions) + 1; // disk, replica and stored: each has an open segment and a spare
        int prefixes = keys.AreConfigured ? OfPrefixes : 0;
        int uploads = options.UploadQueue + (EachUpload * options.UploadConcurrency);
        return (2 * partitions) + prefixes + uploads;
    }
}
