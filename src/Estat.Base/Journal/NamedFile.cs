// Files that get their name once their first bytes are synced: whatever a power cut does, under such a name there is never less.
using Estat.Base.Files;

namespace Estat.Base.Journal;

/// <summary>temp + write + fdatasync + rename + sync of the folder, as <see cref="AtomicFile"/>, with a file that stays open.</summary>
internal static class NamedFile
{
    /// <summary>Makes a file, durably.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="name">Its name, which nothing has yet.</param>
    /// <param name="fill">Writes its first bytes.</param>
    /// <exception cref="IOException">The disk refuses, or the name is not in the folder that was opened at the start; nothing is left.</exception>
    internal static IJournalFile Create(IJournalFiles files, string name, Action<IJournalFile> fill)
    {
        string unnamed = AtomicFile.TemporaryPrefix + Path.GetFileNameWithoutExtension(name);
        files.Delete(unnamed); // of an attempt that could not even clean up
        IJournalFile file = files.Create(unnamed);
        bool isNamed = false;
        try
        {
            fill(file);
            file.Sync();
            files.Rename(unnamed, name);
            isNamed = true;
            files.SyncFolder();
            return file.HasName(name) == true ? file : throw new IOException(
                $"{files.Folder} is not the folder that was opened at the start, or cannot be looked at: {name} is not in it");
        }
        catch
        {
            file.Dispose();
            // Never the name alone: it may be taken, by a file of a folder that was put back from a copy.
            DeleteQuietly(files, isNamed ? name : unnamed);
            throw;
        }
    }

    // The first error is the one to tell; a temporary file that stays is removed at the next start.
    private static void DeleteQuietly(IJournalFiles files, string name)
    {
        try
        {
            files.Delete(name);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }
}
