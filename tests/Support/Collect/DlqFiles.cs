// Files as an earlier process left them in the DLQ.
using Estat.Collect.Batching;
using Estat.Collect.Dlq;
using Estat.Lake.Names;

namespace Estat.Tests.Support;

/// <summary>Writes pairs, whole or not.</summary>
internal static class DlqFiles
{
    private static readonly ObjectKeys Earlier = new("raw", ObjectKeys.NewInstance());

    /// <summary>A key of an earlier process.</summary>
    internal static string NewKey(DateTimeOffset? opened = null) => Earlier.Next(opened ?? Batches.Opened);

    /// <summary>A payload and, unless told otherwise, the meta that belongs to these bodies. Due at once.</summary>
    /// <returns>The payload's path.</returns>
    internal static string Put(
        string folder, string key, IReadOnlyList<string> bodies, byte[]? payload = null, bool withMeta = true, Func<DlqMeta, DlqMeta>? change = null)
    {
        Directory.CreateDirectory(folder);
        using SealedBatch batch = Batches.Of(key, bodies);
        string path = Path.Combine(folder, ObjectKeys.NameOf(key) + ObjectKeys.Extension);
        if (withMeta)
        {
            DateTimeOffset opened = ObjectKeys.OpenedOf(ObjectKeys.NameOf(key)) ?? Batches.Opened;
            var meta = new DlqMeta
            {
                NumEvents = batch.Seal.Events, Key = key, Created = opened, Reason = "an earlier run", NextDue = opened,
                Sha256 = batch.Seal.Sha256, LastSequence = batch.Seal.LastSequence,
            };
            DlqDirectory.WriteMeta(path, change?.Invoke(meta) ?? meta);
        }

        File.WriteAllBytes(path, payload ?? EventLines.ReadAll(batch.OpenContent()));
        return path;
    }

    /// <summary>Names in a DLQ's folder; its lock and its list of discarded files aside.</summary>
    internal static string[] NamesIn(string folder) =>
        [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(name => name[0] != '.').Order(StringComparer.Ordinal)];
}
