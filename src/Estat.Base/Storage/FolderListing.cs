// Lists a folder as a bucket would be listed: all files below it, by the order of their keys.
using System.Runtime.CompilerServices;
using Estat.Base.Threading;

namespace Estat.Base.Storage;

/// <summary>
/// Walks the tree in key order without reading all of it first: memory holds the names of one folder per level. A folder sorts as its name with the
/// slash (<c>a.b</c> before <c>a/x</c>). Folders that cannot hold a wanted key are not opened. What disappears meanwhile is left out.
/// </summary>
internal sealed class FolderListing(string root, string prefix, string? after)
{
    internal async IAsyncEnumerable<ObjectEntry> EnumerateAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // As far down as the prefix names folders, nothing else is looked at.
        string start = prefix[..(prefix.LastIndexOf('/') + 1)];
        var levels = new Stack<IEnumerator<(string Key, FileSystemInfo Info)>>();
        await PoolThread.Switch();
        levels.Push(Read(start).GetEnumerator());
        while (levels.TryPeek(out IEnumerator<(string Key, FileSystemInfo Info)>? level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!level.MoveNext())
            {
                levels.Pop();
                continue;
            }

            (string key, FileSystemInfo info) = level.Current;
            if (info is FileInfo file)
            {
                if (EntryOf(key, file) is { } entry)
                {
                    yield return entry;
                }
            }
            else
            {
                await PoolThread.Switch();
                levels.Push(Read(key).GetEnumerator());
            }
        }
    }

    private static ObjectEntry? EntryOf(string key, FileInfo file)
    {
        try
        {
            file.Refresh();
            return new ObjectEntry(key, file.Length, file.LastWriteTimeUtc);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    // What one folder holds of the wanted keys, in their order. A folder's key ends in a slash.
    private List<(string Key, FileSystemInfo Info)> Read(string folder)
    {
        var found = new List<(string Key, FileSystemInfo Info)>();
        try
        {
            foreach (FileSystemInfo info in new DirectoryInfo(Path.Combine(root, folder)).EnumerateFileSystemInfos())
            {
                string key = folder + info.Name + (info is DirectoryInfo ? "/" : "");
                if (IsWanted(key, info is DirectoryInfo))
                {
                    found.Add((key, info));
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Gone since its parent was read, or never there: it holds nothing.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                StorageFailure.Disk, $"{Path.Combine(root, folder)}: cannot be listed ({error.Message}). Check its permissions.", error);
        }

        found.Sort(static (a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        return found;
    }

    private bool IsWanted(string key, bool isFolder)
    {
        if (isFolder)
        {
            bool mayHold = key.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(key, StringComparison.Ordinal);
            bool isBehind = after is null || KeyOrder.Instance.Compare(key, after) > 0 || after.StartsWith(key, StringComparison.Ordinal);
            return mayHold && isBehind && key != FolderObjectStore.TemporaryFolder + "/";
        }

        return key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || KeyOrder.Instance.Compare(key, after) > 0);
    }
}
