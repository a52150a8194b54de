// The libc calls that .NET has no safe name for. All native calls of Estat stand in this file.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Estat.Base.Files;

/// <summary>Thin wrappers: they turn errno into an <see cref="IOException"/> that names the path.</summary>
internal static partial class Libc
{
    // errno and flags as Linux numbers them.
    private const int Eexist = 17;
    private const int Eperm = 1;
    private const int Eintr = 4;
    private const int Enosys = 38;
    private const int Eopnotsupp = 95;
    private const int Enoent = 2;
    private const int Eacces = 13;
    private const int Ewouldblock = 11;
    private const int Enotdir = 20;
    private const int Enospc = 28;
    private const int Eloop = 40;
    private const int Estale = 116;
    private const int Edquot = 122;
    private const int LockExclusive = 2;
    private const int LockWithoutWaiting = 4;
    private const int LockNoMore = 8;
    private const int OpenReadOnly = 0;
    private const int OpenWriteOnly = 1;
    private const int OpenReadWrite = 2;
    private const int OpenNoTerminal = 0x100;
    private const int OpenNonBlocking = 0x800;
    private const int OpenCloseOnExec = 0x80000;
    private const int AtCurrentDirectory = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7FF;
    private const uint RenameNoReplace = 1;
    private const uint StatxUidAndGid = 0x18;
    private const uint Unchanged = uint.MaxValue;

    /// <summary>Syncs a directory's entries to the device, so that a rename or link in it survives a power cut.</summary>
    internal static void SyncDirectory(string path)
    {
        int descriptor = open(path, OpenReadOnly);
        if (descriptor < 0)
        {
            throw Failure("open the folder", path);
        }

        try
        {
            if (fsync(descriptor) != 0)
            {
                throw Failure("fsync the folder", path);
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Syncs a file's content to the device (fdatasync).</summary>
    internal static void SyncData(FileStream file)
    {
        file.Flush(flushToDisk: false);
        SyncData(file.SafeFileHandle, file.Name);
    }

    /// <inheritdoc cref="SyncData(FileStream)"/>
    internal static void SyncData(SafeFileHandle file, string path)
    {
        while (fdatasync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Eintr)
            {
                throw Failure("fdatasync", path);
            }
        }
    }

    /// <summary>
    /// Opens what stands under a path, whatever it is, without waiting for anybody: opening a named pipe otherwise takes until somebody writes to it.
    /// Linux only.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    internal static SafeFileHandle OpenWithoutWaiting(string path, FileAccess access)
    {
        int mode = access switch { FileAccess.Read => OpenReadOnly, FileAccess.Write => OpenWriteOnly, _ => OpenReadWrite };
        while (true)
        {
            int descriptor = open(path, mode | OpenNonBlocking | OpenNoTerminal | OpenCloseOnExec);
            if (descriptor >= 0)
            {
                return new SafeFileHandle(descriptor, ownsHandle: true);
            }

            IOException failure = Failure("open", path);
            switch (failure.HResult)
            {
                case Eintr:
                    continue;
                case Enoent:
                    throw new FileNotFoundException($"Could not find file '{path}'.", path);
                case Eacces or Eperm:
                    throw new UnauthorizedAccessException($"Access to the path '{path}' is denied.", failure);
                default:
                    throw failure;
            }
        }
    }

    /// <summary>Whether a call failed because the disk has no room, no inodes, or no quota left.</summary>
    internal static bool SaysNoRoom(IOException error) => error.HResult is Enospc or Edquot;

    /// <summary>Whether a call failed because its path leads nowhere, rather than because this process may not look.</summary>
    internal static bool SaysThatNothingIsThere(IOException error) =>
        error is FileNotFoundException or DirectoryNotFoundException || error.HResult is Enoent or Enotdir or Eloop or Estale;

    /// <summary>Takes the exclusive lock of an open file or folder, without waiting.</summary>
    /// <param name="file">What to lock.</param>
    /// <param name="isOwned">Whether another process has it.</param>
    /// <returns>Whether it was taken; not every file system has locks.</returns>
    internal static bool TryLock(SafeFileHandle file, out bool isOwned)
    {
        bool isLocked = flock(file, LockExclusive | LockWithoutWaiting) == 0;
        isOwned = !isLocked && Marshal.GetLastPInvokeError() == Ewouldblock;
        return isLocked;
    }

    /// <summary>Lets go of what <see cref="TryLock"/> took, whoever has the descriptor besides.</summary>
    internal static void Unlock(SafeFileHandle file) => flock(file, LockNoMore);

    /// <summary>What an open file is, or what an open folder has; null where this cannot be asked (musl before 1.2.5, other systems).</summary>
    /// <param name="file">The file, or the folder.</param>
    /// <param name="path">Its path, for messages; or a name in the folder.</param>
    /// <param name="isIn">Whether it is a name in the folder.</param>
    /// <exception cref="IOException">Nothing is there, or it cannot be reached.</exception>
    internal static FileStat? Stat(SafeFileHandle file, string path, bool isIn = false)
    {
        bool taken = false;
        try
        {
            file.DangerousAddRef(ref taken);
            int descriptor = (int)file.DangerousGetHandle();
            return isIn ? Stat(descriptor, path, 0, path) : Stat(descriptor, "", AtEmptyPath, path);
        }
        finally
        {
            if (taken)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>What stands under a path; null where this cannot be asked.</summary>
    /// <exception cref="IOException">Nothing, or it cannot be reached.</exception>
    internal static FileStat? Stat(string path) => Stat(AtCurrentDirectory, path, 0, path);

    /// <summary>Files that may still be made on the file system of a folder; null where it keeps no such count, or cannot be asked.</summary>
    internal static unsafe long? FreeInodes(string folder)
    {
        // struct statvfs of 64-bit Linux: unsigned longs, of which the sixth is all inodes and the eighth those that this user may take.
        const int All = 5;
        const int Available = 7;
        if (!OperatingSystem.IsLinux() || sizeof(nint) != sizeof(long))
        {
            return null;
        }

        ulong* answer = stackalloc ulong[32];
        return statvfs(folder, answer) == 0 && answer[All] > 0 ? (long)Math.Min(answer[Available], long.MaxValue) : null;
    }

    /// <summary>Gives a file its final name unless that name is taken: atomically, with one winner.</summary>
    /// <returns>False when <paramref name="target"/> exists; the source is then still there.</returns>
    internal static bool TryMoveNew(string source, string target)
    {
        if (link(source, target) == 0)
        {
            File.Delete(source);
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        if (error == Eexist)
        {
            return false;
        }

        // File systems without hard links (some container mounts) may still rename without replacing.
        if (error is Eperm or Enosys or Eopnotsupp && OperatingSystem.IsLinux())
        {
            if (renameat2(AtCurrentDirectory, source, AtCurrentDirectory, target, RenameNoReplace) == 0)
            {
                return true;
            }

            if (Marshal.GetLastPInvokeError() == Eexist)
            {
                return false;
            }
        }

        throw Failure("create", target);
    }

    /// <summary>Gives a file the owner and group of another, as far as this user may: without root only a group that it is in.</summary>
    internal static unsafe void TryCopyOwner(string from, string to)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // struct statx: the same on every architecture; stx_uid and stx_gid stand at 20 and 24.
        uint* stat = stackalloc uint[64];
        try
        {
            if (statx(AtCurrentDirectory, from, 0, StatxUidAndGid, stat) != 0)
            {
                throw Failure("look at", from);
            }
        }
        catch (EntryPointNotFoundException)
        {
            return; // musl before 1.2.5
        }

        if (chown(to, stat[5], stat[6]) != 0)
        {
            _ = chown(to, Unchanged, stat[6]);
        }
    }

    private static unsafe FileStat? Stat(int directory, string path, int flags, string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        // struct statx: the same on every architecture; stx_nlink, stx_mode, stx_ino and stx_dev_major stand at 16, 28, 32 and 136.
        uint* stat = stackalloc uint[64];
        try
        {
            return statx(directory, path, flags, StatxBasic, stat) != 0
                ? throw Failure("look at", name)
                : new FileStat(((ulong)stat[34] << 32) | stat[35], *(ulong*)(stat + 8), stat[4], (ushort)stat[7]);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>glibc: at most so many arenas, and blocks from this size on are mapped, so that freeing them gives them back.</summary>
    internal static void LimitHeap(int arenas, int mappedFromBytes)
    {
        const int MmapThreshold = -3; // M_MMAP_THRESHOLD
        const int ArenaMax = -8; // M_ARENA_MAX
        try
        {
            _ = mallopt(ArenaMax, arenas);
            _ = mallopt(MmapThreshold, mappedFromBytes);
        }
        catch (EntryPointNotFoundException)
        {
            // musl and macOS have no mallopt, and no such arenas.
        }
    }

    /// <summary>glibc: free memory that stands between used memory goes back to the system as well.</summary>
    internal static void TrimHeap()
    {
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl gives back by itself what it can; macOS has none.
        }
    }

    /// <summary>Ends the process on the spot: nothing is synced, and no thread is waited for.</summary>
    internal static void ExitNow(int code)
    {
        if (OperatingSystem.IsWindows())
        {
            Environment.Exit(code);
        }

        _exit(code);
    }

    private static IOException Failure(string what, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"could not {what} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

#pragma warning disable SYSLIB1054, IDE1006, CA2101 // names as in libc
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    private static partial void _exit(int code);

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint keep);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string source, string target);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int sourceDirectory, string source, int targetDirectory, string target, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(int directory, string path, int flags, uint mask, uint* answer);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statvfs(string path, ulong* answer);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint owner, uint group);
#pragma warning restore SYSLIB1054, IDE1006, CA2101
}
