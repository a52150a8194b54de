// A folder has one owner: the process that holds the locks on it and on its .lock file. The kernel lets go of them however the process ends.
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Estat.Base.Files;

/// <summary>
/// Held for as long as the process uses the folder. It knows the folder itself, not only its path: whether the path still leads to it, and a way to
/// it when it does not.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    /// <summary>Name of the file that is locked.</summary>
    internal const string FileName = ".lock";

    private readonly string _path;
    private readonly string _option;
    private readonly SafeFileHandle? _folder;
    private bool _isFolderLocked;
    private FileStream? _file;
    private volatile string? _displaced;

    private DirectoryLock(string path, string option, SafeFileHandle? folder)
    {
        _path = path;
        _option = option;
        _folder = folder;
        Way = path;
    }

    /// <summary>How the folder is reached: by its path or, once that leads elsewhere, by the descriptor that was opened at the start.</summary>
    internal string Way { get; private set; }

    /// <summary>Makes the folder if needed and takes it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="option">The option that names it, for the message.</param>
    /// <exception cref="FolderOwnedException">Another process owns it.</exception>
    /// <exception cref="IOException">It cannot be made or written; the message says what to do.</exception>
    internal static DirectoryLock Take(string path, string option)
    {
        DirectoryLock taken;
        try
        {
            AtomicFile.CreateDirectory(path);
            taken = new DirectoryLock(path, option, OperatingSystem.IsLinux() ? Libc.OpenWithoutWaiting(path, FileAccess.Read) : null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{option}={path}: the folder cannot be created ({error.Message.TrimEnd('.')}). {DiskAdvice.For(error, path)}, or name another "
                + "folder.", error);
        }

        try
        {
            taken.TakeLocks();
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Looks whether the path leads to the folder that was taken. A lock file that was removed is made again: the folder itself is locked as well, so
    /// nobody came in between.
    /// </summary>
    /// <returns>Null when it does; else what became of it, as the end of a sentence.</returns>
    internal string? WhyNotInPlace()
    {
        if (_folder is null)
        {
            return null;
        }

        FileStat taken;
        try
        {
            if (Libc.Stat(_folder, _path) is not { } known)
            {
                return null;
            }

            taken = known;
        }
        catch (IOException error) when (Libc.SaysThatNothingIsThere(error))
        {
            return _displaced = "was removed"; // a network's file system knows the open folder no more
        }

        string? why = taken.Links == 0 ? "was removed" : "was moved away";
        try
        {
            FileStat there = Libc.Stat(_path)!.Value;
            why = there.IsSameAs(taken) ? null : "is not the folder that was opened at the start";
        }
        catch (IOException error)
        {
            if (!Libc.SaysThatNothingIsThere(error))
            {
                return _displaced; // a process that may not look knows no more than before
            }
        }

        Way = why is null ? _path : string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_folder.DangerousGetHandle()}");
        return _displaced = why ?? EnsureLockFile();
    }

    /// <summary>Whether the folder itself, wherever its path leads, has something under a name; null when that cannot be asked.</summary>
    /// <param name="name">The name.</param>
    /// <param name="file">If given, it has to be this open file.</param>
    internal bool? Has(string name, SafeFileHandle? file = null) =>
        _folder is null ? FileStat.IsUnder(Path.Combine(_path, name), file) : FileStat.IsUnder(name, file, _folder);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        if (_isFolderLocked)
        {
            // Closing it is not enough: a process that this one is just starting has its descriptors for a moment.
            Libc.Unlock(_folder!);
            _isFolderLocked = false;
        }

        _folder?.Dispose();
    }

    private FolderOwnedException Owned(Exception? inner) =>
        new($"{_option}={_path}: another process owns this folder. Give each process its own, or stop the other one.", inner);

    private void TakeLocks()
    {
        bool isOwned = false;
        bool isLocked = _isFolderLocked = _folder is not null && Libc.TryLock(_folder, out isOwned);
        if (isOwned)
        {
            throw Owned(null);
        }

        string file = Path.Combine(_path, FileName);
        try
        {
            _file = OpenLockFile();
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"{_option}={_path}: this user may not write there. Change its owner or name another folder.", error);
        }
        catch (IOException error) when (isLocked && Libc.SaysNoRoom(error))
        {
            // A disk without room or inodes: the lock on the folder keeps others out, and the file is made when there is room.
        }
        catch (IOException error) when (File.Exists(file))
        {
            throw Owned(error);
        }
    }

    // FileShare.None is an exclusive, non-blocking flock(2) on Unix.
    private FileStream OpenLockFile() => new(Path.Combine(_path, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private string? EnsureLockFile()
    {
        try
        {
            if (_file is null || Has(FileName, _file.SafeFileHandle) == false)
            {
                FileStream file = OpenLockFile();
                _file?.Dispose();
                _file = file;
            }

            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error is IOException noRoom && Libc.SaysNoRoom(noRoom)
                ? null : $"lost its lock file, and the node cannot create it again ({error.Message.TrimEnd('.')})";
        }
    }
}
