// Opens the database so that a commit means that it is on the disk.
using System.Globalization;
using System.Security.Cryptography;
using Estat.Requests.Storing;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Estat.Requests.Sqlite;

/// <summary>
/// WAL: readers never wait for the writer. <c>synchronous=FULL</c>: SQLite syncs the log before a commit returns. The settings are asked for again
/// after they were made, as SQLite ignores what it does not know.
/// </summary>
internal static class Database
{
    /// <summary>The file in <c>REQUESTS_DIR</c>.</summary>
    internal const string FileName = "requests.db";

    // The log is copied into the database when it is this long: rarely enough that a page that is written often is copied once.
    private const int CheckpointPages = 8_000;

    private const int WriterCacheKibibytes = 64 * 1024;
    private const int ReaderCacheKibibytes = 4 * 1024;
    private const int EpochBytes = 6;

    /// <summary>The one connection that writes. Makes what is not there yet.</summary>
    /// <exception cref="StoreException">The file is no database of this version.</exception>
    internal static SqliteConnection OpenWriter(string folder)
    {
        SqliteConnection connection = Open(folder, SqliteOpenMode.ReadWriteCreate);
        try
        {
            Run(connection, "PRAGMA journal_mode = WAL");
            Run(connection, "PRAGMA synchronous = FULL");
            Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA wal_autocheckpoint = {CheckpointPages}"));
            Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = -{WriterCacheKibibytes}"));
            Expect(connection, "PRAGMA journal_mode", "wal");
            Expect(connection, "PRAGMA synchronous", "2");
            Migrate(connection, folder);
            return connection;
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreException($"REQUESTS_DIR={folder}: {FileName} cannot be used ({error.Message})", inner: error);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A connection that reads.</summary>
    internal static SqliteConnection OpenReader(string folder)
    {
        SqliteConnection connection = Open(folder, SqliteOpenMode.ReadWrite); // a reader of a WAL writes its shared memory
        try
        {
            Run(connection, "PRAGMA query_only = ON");
            Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = -{ReaderCacheKibibytes}"));
            return connection;
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreException($"REQUESTS_DIR={folder}: {FileName} cannot be read ({error.Message})", inner: error);
        }
    }

    /// <summary>Runs SQL.</summary>
    internal static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The first value that SQL answers, as text.</summary>
    internal static string? Ask(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>A name for a life of a store that no other has.</summary>
    internal static string NewEpoch() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(EpochBytes));

    private static SqliteConnection Open(string folder, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(folder, FileName),
            Mode = mode,
            Pooling = false,
        }.ConnectionString);
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle!, 5_000);
            return connection;
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreException($"REQUESTS_DIR={folder}: {FileName} cannot be opened ({error.Message})", inner: error);
        }
    }

    private static void Migrate(SqliteConnection connection, string folder)
    {
        string version = Ask(connection, "PRAGMA user_version")!;
        if (version == Schema.Version.ToString(CultureInfo.InvariantCulture))
        {
            return;
        }

        if (version != "0")
        {
            throw new StoreException($"REQUESTS_DIR={folder}: {FileName} is of version {version}, and this program knows {Schema.Version}. "
                + "Start the version of Estat that wrote it, or a newer one");
        }

        Run(connection, "BEGIN IMMEDIATE");
        Run(connection, Schema.Create);
        Run(connection, $"INSERT INTO store VALUES (1, '{NewEpoch()}', 0, 0, 0, 0, 0)");
        Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Schema.Version}"));
        Run(connection, "COMMIT");
    }

    private static void Expect(SqliteConnection connection, string question, string answer)
    {
        if (Ask(connection, question) is var said && said != answer)
        {
            throw new StoreException($"{question} says {said} and not {answer}: commits would not be on the disk. Name a REQUESTS_DIR on a local "
                + "file system");
        }
    }
}
