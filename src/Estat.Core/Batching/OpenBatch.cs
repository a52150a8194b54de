// A batch between its first event and its seal.
namespace Estat.Core.Batching;

/// <summary>Identity and size of a batch that still takes events. Owned by one partition; changed only under that partition's lock.</summary>
internal sealed class OpenBatch(string key, DateTimeOffset opened)
{
    /// <summary>The object's key; fixed from here on.</summary>
    internal string Key { get; } = key;

    /// <summary>When the first event came, UTC.</summary>
    internal DateTimeOffset Opened { get; } = opened;

    internal long Events { get; set; }

    /// <summary>Uncompressed bytes.</summary>
    internal long Bytes { get; set; }
}
