// The folder of the database: whose it is, whether it is still there, and how much room it has.
using Estat.Base.Files;

namespace Estat.Requests.Sqlite;

/// <summary>
/// Looked at once a second by the writer, the only thread that asks. SQLite itself would go on writing to a file that was removed, and what it
/// acknowledges then is gone with the process. The database's file is never opened here: to close it again would take SQLite's locks from it.
/// </summary>
internal sealed class StorePlace : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly DirectoryLock _lock;
    private readonly string _folder;
    private readonly long _leastFree;
    private readonly TimeProvider _time;
    private FileStat? _database;
    private long _lookedAt;

    private StorePlace(DirectoryLock taken, string folder, long leastFree)
    {
        _lock = taken;
        _folder = folder;
        _leastFree = leastFree;
        _time = TimeProvider.System; // how often a disk is looked at is the machine's matter, whatever the clock of arrival is
    }

    /// <summary>Whether the disk has less room than it should, as of the last look.</summary>
    internal bool IsShort { get; private set; }

    /// <summary>Takes the folder.</summary>
    /// <param name="folder">REQUESTS_DIR.</param>
    /// <param name="leastFree">Free bytes below which nothing is accepted.</param>
    /// <exception cref="IOException">It cannot be used, or another process owns it.</exception>
    internal static StorePlace Take(string folder, long leastFree) => new(DirectoryLock.Take(folder, "REQUESTS_DIR"), folder, leastFree);

    /// <summary>The database was opened: from now on it has to stay.</summary>
    internal void Remember() => _database = StatOf();

    /// <summary>Looks, if it is time to.</summary>
    /// <returns>Why the database is not to be used any more; null while it is.</returns>
    internal string? Look()
    {
        if (_lookedAt != 0 && _time.GetElapsedTime(_lookedAt) < Step)
        {
            return null;
        }

        _lookedAt = _time.GetTimestamp();
        if (_lock.WhyNotInPlace() is { } why)
        {
            return $"the folder of REQUESTS_DIR ({_folder}) {why}";
        }

        try
        {
            IsShort = new DriveInfo(Path.GetFullPath(_folder)).AvailableFreeSpace < _leastFree;
            return _database is { } opened && StatOf() is { } now && !opened.IsSameAs(now)
                ? $"{Database.FileName} in REQUESTS_DIR ({_folder}) was replaced" : null;
        }
        catch (IOException error)
        {
            return Libc.SaysThatNothingIsThere(error) ? $"{Database.FileName} in REQUESTS_DIR ({_folder}) was removed" : null;
        }
    }

    public void Dispose() => _lock.Dispose();

    private FileStat? StatOf() => Libc.Stat(Path.GetFullPath(Path.Combine(_folder, Database.FileName)));
}
