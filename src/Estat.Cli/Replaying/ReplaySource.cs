// Where a replay takes its objects from: a lake, its quarantine, or a folder of the DLQ.
using Estat.Base.Files;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Lake;
using Estat.Cli.Run;
using Estat.Collect.Dlq;
using Estat.Lake.Names;
using Estat.Lake.Reading;

namespace Estat.Cli.Replaying;

/// <summary>Owns the store, and a DLQ's folder while it is read: its node must not store the same files meanwhile.</summary>
internal sealed class ReplaySource : IDisposable
{
    private readonly LakePlace _place;
    private readonly DirectoryLock? _dlq;
    private readonly string _rawPrefix;

    private ReplaySource(LakePlace place, KeyRange range, string rawPrefix, DirectoryLock? dlq)
    {
        _place = place;
        _dlq = dlq;
        _rawPrefix = rawPrefix;
        Range = range;
    }

    internal IObjectCatalog Store => _place.Store;

    internal KeyRange Range { get; }

    /// <summary>For people, and for the checkpoint.</summary>
    internal string Description => $"{Store.Description}/{Range.Prefix}";

    /// <summary>Whether it is what a server writes to its RAW_PREFIX.</summary>
    internal bool IsLake => _dlq is null;

    internal static ReplaySource Take(ParseResult parsed, LakeOptions lake, string? dlq, bool quarantine, DateTimeOffset now)
    {
        string raw = ServerOptions.Bind().Collect.Storage.RawPrefix;
        if (dlq is null)
        {
            LakePlace place = lake.Place(parsed);
            return new ReplaySource(place, lake.Range(parsed, quarantine ? place.Quarantine : place.Prefix, now), raw, null);
        }

        FolderObjectStore folder = FolderObjectStore.Existing(dlq);
        try
        {
            DirectoryLock owner = DirectoryLock.Take(Path.GetFullPath(dlq), "--dlq");
            return new ReplaySource(new LakePlace(folder, "", ""), lake.Range(parsed, "", now), raw, owner);
        }
        catch (FolderOwnedException error)
        {
            throw new CliException($"{error.Message} While a node runs, `estat dlq retry` lets it store them itself.");
        }
    }

    /// <summary>Whether a key holds events: in a DLQ, metas and locks do not.</summary>
    internal bool IsWanted(string key) =>
        _dlq is null || (key.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal) && !key.Contains('/', StringComparison.Ordinal));

    /// <summary>Begins the keys of RAW objects there, with its slash.</summary>
    internal string Prefix => _dlq is null ? _place.Prefix : _rawPrefix + "/";

    /// <summary>The key under which an object's copy lies: the same, but for the prefix that it goes to.</summary>
    internal string KeyOfCopy(string key, string toPrefix)
    {
        string full = _dlq is null ? key : KeyOfDlqFile(key);
        return full.StartsWith(Prefix, StringComparison.Ordinal) ? toPrefix + full[Prefix.Length..] : full;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _dlq?.Dispose();
        _place.Dispose();
    }

    private string KeyOfDlqFile(string file)
    {
        string path = Path.Combine(Store.Description, file);
        return DlqDirectory.ReadMeta(path)?.Key
            ?? new ObjectKeys(_rawPrefix, "").ForName(ObjectKeys.NameOf(file), ObjectKeys.OpenedOf(file) ?? File.GetLastWriteTimeUtc(path));
    }
}
