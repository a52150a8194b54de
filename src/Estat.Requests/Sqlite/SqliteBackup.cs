// Copies of the database: taken while it is in use, and brought back into an empty folder.
using System.Globalization;
using Estat.Base.Files;
using Estat.Requests.Storing;
using Microsoft.Data.Sqlite;

namespace Estat.Requests.Sqlite;

/// <summary>
/// A backup is of one commit. What came after it is lost with the database that it replaces, so a restored store begins a new epoch (its outcomes'
/// objects meet no older ones), skips sequences (none that was told to a user is told to another one), and accepts nothing until the operator has
/// looked at it and resumes it.
/// </summary>
internal static class SqliteBackup
{
    /// <summary>Sequences that each campaign skips: more than a campaign gives between two backups of a day.</summary>
    internal const long Skipped = 1_000_000_000;

    // What SQLite has beside a database.
    private static readonly string[] Parts = ["", "-wal", "-shm", "-journal"];

    /// <summary>Writes a copy. The store may be in use.</summary>
    /// <param name="folder">REQUESTS_DIR.</param>
    /// <param name="file">A file that is not there.</param>
    /// <exception cref="StoreException">It cannot be read or written; the message says why.</exception>
    internal static void Save(string folder, string file)
    {
        if (!File.Exists(Path.Combine(folder, Database.FileName)))
        {
            throw new StoreException($"There is no {Database.FileName} in {folder}. Name the node's REQUESTS_DIR");
        }

        if (File.Exists(file))
        {
            throw new StoreException($"{file} is there already. Name another file: a backup never replaces one");
        }

        string part = file + ".part";
        File.Delete(part);
        try
        {
            using SqliteConnection connection = Database.OpenReader(folder);
            Database.Run(connection, "PRAGMA query_only = OFF"); // it would keep SQLite from writing the copy as well
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $file";
            command.Parameters.AddWithValue("$file", part);
            command.ExecuteNonQuery();
        }
        catch (SqliteException error)
        {
            File.Delete(part);
            throw new StoreException($"The backup failed ({error.Message}). Look at the disks of {folder} and {file}", inner: error);
        }

        using (var written = new FileStream(part, FileMode.Open, FileAccess.ReadWrite))
        {
            written.Flush(flushToDisk: true);
        }

        File.Move(part, file);
        Libc.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
    }

    /// <summary>Brings a copy back.</summary>
    /// <param name="file">A backup.</param>
    /// <param name="folder">A folder without a database; made if it is missing.</param>
    /// <exception cref="StoreException">The file is no backup, or the folder has a database.</exception>
    /// <exception cref="IOException">The folder cannot be used, or a process owns it.</exception>
    internal static void Restore(string file, string folder)
    {
        using DirectoryLock taken = DirectoryLock.Take(folder, "REQUESTS_DIR");
        string? there = Parts.Select(part => Path.Combine(folder, Database.FileName + part)).FirstOrDefault(File.Exists);
        if (there is not null)
        {
            // A log beside another database would be read into it.
            throw new StoreException($"{there} is there already. Move all {Database.FileName}* away first, and keep them: they may hold requests "
                + "that the backup lacks");
        }

        string making = Path.Combine(folder, "restore.part");
        try
        {
            Directory.CreateDirectory(making);
            string database = Path.Combine(making, Database.FileName);
            File.Copy(file, database, overwrite: true);
            Renew(file, making);
            using (var written = new FileStream(database, FileMode.Open, FileAccess.ReadWrite))
            {
                written.Flush(flushToDisk: true);
            }

            File.Move(database, Path.Combine(folder, Database.FileName));
            Libc.SyncDirectory(folder);
        }
        finally
        {
            Directory.Delete(making, recursive: true);
        }
    }

    // In a folder of its own: what is there under the right name is a whole store of a new epoch, or nothing.
    private static void Renew(string file, string making)
    {
        try
        {
            using SqliteConnection connection = Database.OpenWriter(making);
            if (Database.Ask(connection, "PRAGMA quick_check") is var said && said != "ok")
            {
                throw new StoreException($"{file} is damaged ({said}). Take another backup");
            }

            Database.Run(connection, "BEGIN IMMEDIATE");
            Database.Run(connection, $"UPDATE store SET epoch = '{Database.NewEpoch()}', held = 1");
            Database.Run(connection, string.Create(CultureInfo.InvariantCulture, $"UPDATE campaign SET sequence = sequence + {Skipped}"));
            Database.Run(connection, "COMMIT");
            Database.Run(connection, "PRAGMA journal_mode = DELETE"); // all of it is in the one file that is moved
        }
        catch (Exception error) when (error is SqliteException or StoreException { InnerException: SqliteException })
        {
            // Not the message about the folder: it is ours, and about to go.
            throw new StoreException($"{file} is no backup of requests ({(error.InnerException ?? error).Message})", inner: error);
        }
    }

    /// <summary>Lets a restored store accept requests again. No process may have it open.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    /// <exception cref="IOException">A process owns the folder.</exception>
    internal static void Resume(string folder)
    {
        if (!File.Exists(Path.Combine(folder, Database.FileName)))
        {
            throw new StoreException($"There is no {Database.FileName} in {folder}. Name the node's REQUESTS_DIR");
        }

        using DirectoryLock taken = DirectoryLock.Take(folder, "REQUESTS_DIR");
        using SqliteConnection connection = Database.OpenWriter(folder);
        Database.Run(connection, "UPDATE store SET held = 0");
    }
}
