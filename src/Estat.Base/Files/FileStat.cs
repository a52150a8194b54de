// What the file system says of a file, or of a folder.
using Microsoft.Win32.SafeHandles;

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

    /// <summary>Whether something stands under a path.</summary>
    /// <param name="path">A full path or, with a folder, a name in it.</param>
    /// <param name="file">If given, it has to be this open file.</param>
    /// <param name="folder">An open folder, whatever its own path leads to now.</param>
    /// <returns>Null when it cannot be asked: by this user, or on this disk.</returns>
    internal static bool? IsUnder(string path, SafeFileHandle? file = null, SafeFileHandle? folder = null)
    {
        try
        {
            FileStat? there = folder is null ? Libc.Stat(path) : Libc.Stat(folder, path, isIn: true);
            FileStat? open = file is null ? null : Libc.Stat(file, path);
            return there is null ? folder is not null || File.Exists(path) // statx is not everywhere
                : open is null || open.Value.IsSameAs(there.Value);
        }
        catch (IOException error)
        {
            return Libc.SaysThatNothingIsThere(error) ? false : null;
        }
    }
}
