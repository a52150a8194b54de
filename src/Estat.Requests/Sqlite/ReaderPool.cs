// Connections that read beside the writer.
using System.Collections.Concurrent;
using Estat.Base.Threading;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;
using Microsoft.Data.Sqlite;

namespace Estat.Requests.Sqlite;

/// <summary>
/// Reads on the thread pool, as a page may have to come from the disk. At most <see cref="Most"/> at once: a slow disk shall take neither all threads
/// nor all open files. Any thread.
/// </summary>
/// <param name="folder">REQUESTS_DIR.</param>
internal sealed class ReaderPool(string folder) : IDisposable
{
    /// <summary>Connections at most; each has three files open.</summary>
    internal const int Most = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentBag<Reader> _idle = [];
    private readonly SemaphoreSlim _room = new(Most);

    /// <summary>Reads. What one statement reads is of one commit.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    internal async ValueTask<T> ReadAsync<T>(Func<Reader, T> read, CancellationToken cancellationToken = default)
    {
        if (!await _room.WaitAsync(Patience, cancellationToken).ConfigureAwait(false))
        {
            throw new StoreException($"The database of requests answers none of {Most} questions. Look at the disk of REQUESTS_DIR");
        }

        try
        {
            await PoolThread.Switch();
            Reader reader = _idle.TryTake(out Reader? idle) ? idle : new Reader(folder);
            T result;
            try
            {
                result = read(reader);
            }
            catch
            {
                reader.Dispose(); // in the middle of whatever it was
                throw;
            }

            _idle.Add(reader);
            return result;
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>Closes the connections; nobody reads any more.</summary>
    public void Dispose()
    {
        while (_idle.TryTake(out Reader? reader))
        {
            reader.Dispose();
        }

        _room.Dispose();
    }
}

/// <summary>One connection that reads, with the statements that it runs most.</summary>
internal sealed class Reader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Statement _byId;

    internal Reader(string folder)
    {
        _connection = Database.OpenReader(folder);
        _byId = Prepare($"SELECT {RequestRows.Columns} FROM request WHERE id = ?");
    }

    /// <summary>A statement of its own; to be disposed of.</summary>
    internal Statement Prepare(string sql) => new(_connection.Handle!, sql);

    /// <summary>A request; null when there is none.</summary>
    internal RequestRecord? Find(RequestId id)
    {
        Span<byte> bytes = stackalloc byte[RequestId.Size];
        id.WriteBytes(bytes);
        RequestRecord? found = _byId.Bind(1, bytes).Step() ? RequestRows.Read(_byId) : null;
        _byId.Reset();
        return found;
    }

    public void Dispose()
    {
        _byId.Dispose();
        _connection.Dispose();
    }
}
