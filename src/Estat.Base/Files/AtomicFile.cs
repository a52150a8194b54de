// The one way in which Estat writes a file: a reader sees the whole of it under its name, or nothing.
namespace Estat.Base.Files;

/// <summary>temp + fdatasync + rename + directory fsync. A crash leaves at most a temp file, which <see cref="IsTemporary"/> recognises.</summary>
internal static class AtomicFile
{
    /// <summary>Begins the name of a file that is not whole yet.</summary>
    internal const string TemporaryPrefix = ".tmp-";

    /// <summary>Whether a name is that of an unfinished file.</summary>
    internal static bool IsTemporary(ReadOnlySpan<char> name) => name.StartsWith(TemporaryPrefix, StringComparison.Ordinal);

    /// <summary>Writes the file, replacing what stood under its name.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="modified">Time stamp to give it, UTC; null leaves the current time.</param>
    /// <param name="keepsAccess">Whether it has the mode, owner and group of the file that it replaces, from before its first byte on. Whoever may
    /// not give a file to another owner or group writes it as its own.</param>
    /// <exception cref="IOException">The disk is full or fails; no file and no temp file is left.</exception>
    internal static void Write(string path, Action<Stream> write, DateTime? modified = null, bool keepsAccess = false)
    {
        string directory = Path.GetDirectoryName(path)!;
        string temporary = WriteTemporary(directory, write, modified, keepsAccess && File.Exists(path) ? path : null);
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            DeleteQuietly(temporary);
            throw;
        }

        Libc.SyncDirectory(directory);
    }

    /// <summary>Writes the file unless its name is taken. One of many that race wins.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="temporaryDirectory">Where it is written first; on the same file system.</param>
    /// <param name="write">Writes the content.</param>
    /// <returns>False when the name is taken.</returns>
    /// <exception cref="IOException">The disk is full or fails; no file and no temp file is left.</exception>
    internal static bool TryCreate(string path, string temporaryDirectory, Action<Stream> write)
    {
        string temporary = WriteTemporary(temporaryDirectory, write, null, accessOf: null);
        bool created = false;
        try
        {
            created = Libc.TryMoveNew(temporary, path);
        }
        finally
        {
            if (!created)
            {
                DeleteQuietly(temporary);
            }
        }

        Libc.SyncDirectory(Path.GetDirectoryName(path)!);
        return created;
    }

    /// <summary>Makes a folder and everything above it, durably: each new entry is synced in its parent.</summary>
    internal static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(path);
        if (!string.IsNullOrEmpty(parent))
        {
            CreateDirectory(parent);
        }

        Directory.CreateDirectory(path);
        Libc.SyncDirectory(string.IsNullOrEmpty(parent) ? "." : parent);
    }

    private static string WriteTemporary(string directory, Action<Stream> write, DateTime? modified, string? accessOf)
    {
        string path = Path.Combine(directory, TemporaryPrefix + Guid.NewGuid().ToString("N"));
        try
        {
            using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0))
            {
                if (accessOf is not null && !OperatingSystem.IsWindows())
                {
                    Libc.TryCopyOwner(accessOf, path);
                    File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(accessOf));
                }

                write(file);
                Libc.SyncData(file);
            }

            if (modified is { } time)
            {
                File.SetLastWriteTimeUtc(path, time);
            }

            return path;
        }
        catch
        {
            DeleteQuietly(path);
            throw;
        }
    }

    // The first error is the one to tell; a temp file that stays is removed at the next start.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (IOException)
        {
        }
        catch (UnauthorizedAccessException)
        {
        }
    }
}
