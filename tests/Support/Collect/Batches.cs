// Sealed batches for tests that begin where a partition's writer ends.
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Lake.Names;

namespace Estat.Tests.Support;

/// <summary>Makes batches with the encoder of production.</summary>
internal static class Batches
{
    internal static readonly DateTimeOffset Opened = DateTimeOffset.FromUnixTimeSeconds(EventLines.Second);

    /// <summary>A key such as a node makes, different at each call.</summary>
    internal static string NewKey(string prefix = "raw") => new ObjectKeys(prefix, ObjectKeys.NewInstance()).Next(Opened);

    internal static SealedBatch Of(string key, IEnumerable<string> bodies, Func<Stream, Stream>? openCompressor = null)
    {
        using var encoder = new BatchEncoder(openCompressor ?? BatchEncoder.Gzip(1), NullLogger.Instance, _ => { });
        encoder.Append(NewOpen(key), bodies);
        return encoder.Seal(FlushReason.Count);
    }

    internal static OpenBatch NewOpen(string key) => new(key, Opened, isAwaited: false);

    /// <summary>Adds the lines of these bodies at once, as those of a chunk.</summary>
    internal static void Append(this BatchEncoder encoder, OpenBatch batch, IEnumerable<string> bodies)
    {
        string[] all = [.. bodies];
        encoder.Append(batch, EventLines.Encode(all), all.Length);
    }

    /// <summary>What an uploader would pass to the store.</summary>
    internal static ObjectContent ContentOf(SealedBatch batch) => new(batch.OpenContent, batch.Seal, batch.Form == BatchForm.Gzip);

    internal static ObjectContent ContentOf(params IEnumerable<string> bodies) => ContentOf(Of(NewKey(), bodies));
}
