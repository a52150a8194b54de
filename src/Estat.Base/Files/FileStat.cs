// What the file system says of a file, or of a folder.
namespace Estat.Base.Files;

/// <summary>Device and inode say whether two paths, or a path and an open file, are one file.</summary>
/// <param name="Device">The file system that it is on.</param>
/// <param name="Inode">Its number there.</param>
/// <param name="Links">Names that it has; 0 for an open file that was deleted.</param>
/// <param name="Mode">Kind and permissions.</param>
internal readonly record struct FileStat(ulong Device, ulong Inode, uint Links, ushort Mode)
{
    private const int KindMask = 0xF000;

    /// <summary>Whether it is a file in the ordinary sense, with a length and an end.</summary>
    internal bool IsRegular => (Mode & KindMask) == 0x8000;

    /// <summary>What it is, for messages.</summary>
    internal string Kind => (Mode & KindMask) switch
    {
        0x1000 => "a named pipe",
        0x2000 or 0x6000 => "a device",
        0x4000 => "a folder",
        0x8000 => "a regular file",
        0xC000 => "a socket",
        _ => "something else",
    };

    /// <summary>Whether the other is the same file.</summary>
    internal bool IsSameAs(FileStat other) => Device == other.Device && Inode == other.Inode;
}
