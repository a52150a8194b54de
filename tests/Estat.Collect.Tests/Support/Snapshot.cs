// What kill -9 would leave at a moment, while the node that it would have hit goes on.
using Estat.Collect.Spooling;

namespace Estat.Collect.Tests.Support;

/// <summary>Copies of a node's folders. Taken while nothing is being written.</summary>
internal static class Snapshot
{
    /// <summary>Everything that a node has on its disks, but for the locks: those die with the process.</summary>
    internal static TempFolder Of(TempFolder folder)
    {
        var copy = new TempFolder();
        foreach (string path in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) != ".lock"))
        {
            string target = copy[Path.GetRelativePath(folder.Path, path)];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            try
            {
                File.Copy(path, target);
            }
            catch (FileNotFoundException)
            {
                // A spare that became a segment of a batch that was over at once: it is gone on the disk as well.
            }
        }

        return copy;
    }

    /// <summary>Paths of the segments in the spool that hold something, oldest first. Spares are none.</summary>
    internal static string[] Segments(TempFolder folder) =>
        [.. Directory.EnumerateFiles(folder["spool"], "*" + Spool.Extension).Where(HoldsSomething).Order(StringComparer.Ordinal)];

    private static bool HoldsSomething(string path)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (FileNotFoundException)
        {
            return false; // it was listed, and stored and deleted since
        }

        return !SegmentFormat.IsSpare(content, Path.GetFileName(path)) && content.AsSpan().ContainsAnyExcept((byte)0);
    }
}
