// A folder has one owner: the process that holds the lock on its .lock file. The kernel lets go of it however the process ends.
namespace Estat.Core.Files;

/// <summary>Held for as long as the process uses the folder.</summary>
internal sealed class DirectoryLock : IDisposable
{
    /// <summary>Name of the file that is locked.</summary>
    internal const string FileName = ".lock";

    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Makes the folder if needed and takes it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="option">The option that names it, for the message.</param>
    /// <exception cref="FolderOwnedException">Another process owns it.</exception>
    /// <exception cref="IOException">It cannot be made or written; the message says what to do.</exception>
    internal static DirectoryLock Take(string path, string option)
    {
        try
        {
            AtomicFile.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{option}={path}: cannot be made ({error.Message.TrimEnd('.')}). {DiskAdvice.For(error, path)}, or name another folder.", error);
        }

        string file = Path.Combine(path, FileName);
        try
        {
            // FileShare.None is an exclusive, non-blocking flock(2) on Unix.
            return new DirectoryLock(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"{option}={path}: this user may not write there. Change its owner or name another folder.", error);
        }
        catch (IOException error) when (File.Exists(file))
        {
            throw new FolderOwnedException($"{option}={path}: another process owns this folder. Give each process its own, or stop the other one.", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
