// Requests in the database, as the writer changes them.
using Estat.Requests.Campaigns;
using SQLitePCL;

namespace Estat.Requests.Sqlite;

/// <summary>The statements of the one connection that writes. Nothing here knows a rule.</summary>
internal sealed class RequestTable(sqlite3 connection) : IDisposable
{
    private readonly Statement _insert = new(
        connection,
        "INSERT INTO request (key, id, user, state, generation, fence, attempts, received, queued, processing, final, due) "
        + "VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING");

    private readonly Statement _insertBody = new(connection, "INSERT INTO body (key, content) VALUES (?, ?)");

    private readonly Statement _update = new(
        connection,
        "UPDATE request SET state = ?2, generation = ?3, fence = ?4, attempts = ?5, received = ?6, queued = ?7, processing = ?8, final = ?9, "
        + "due = ?10, reason = ?11, result = ?12, failure = ?13 WHERE key = ?1");

    private readonly Statement _byId = new(connection, $"SELECT {RequestRows.Columns} FROM request WHERE id = ?");

    private readonly Statement _range = new(
        connection, $"SELECT {RequestRows.Columns} FROM request WHERE key > ? AND key <= ? ORDER BY key LIMIT ?");

    // Each with its index, which knows the moment: what waits for a later one is not read.
    private readonly Statement _leases = new(
        connection, $"SELECT {RequestRows.Columns} FROM request WHERE state = 2 AND due <= ? ORDER BY due LIMIT ?");

    private readonly Statement _waiting = new(
        connection,
        $"SELECT {RequestRows.Columns} FROM request WHERE key >> 40 = ?1 AND due > 0 AND due <= ?2 AND state = 1 ORDER BY due LIMIT ?3");

    private readonly Statement _body = new(connection, "SELECT content FROM body WHERE key = ?");

    private readonly Statement _eraseUser = new(connection, "UPDATE request SET user = NULL WHERE key = ?");

    private readonly Statement _dropBody = new(connection, "DELETE FROM body WHERE key = ?");

    /// <summary>Adds a request.</summary>
    /// <returns>False when its id is there already.</returns>
    internal bool TryInsert(RequestRecord request, ReadOnlySpan<byte> body)
    {
        Span<byte> id = stackalloc byte[RequestId.Size];
        request.Id.WriteBytes(id);
        long key = RequestRows.KeyOf(request);
        Statement insert = _insert.Bind(1, key).Bind(2, id).BindOrNull(3, request.User is { } user ? user.Bytes : default)
            .Bind(4, (long)request.State).Bind(5, request.Generation).Bind(6, request.Fence).Bind(7, request.Attempts);
        if (BindTimes(insert, 8, request).Run() == 0)
        {
            return false;
        }

        if (!body.IsEmpty)
        {
            _insertBody.Bind(1, key).Bind(2, body).Run();
        }

        return true;
    }

    /// <summary>Writes a request that is there.</summary>
    internal void Update(RequestRecord request)
    {
        Statement update = _update.Bind(1, RequestRows.KeyOf(request)).Bind(2, (long)request.State).Bind(3, request.Generation)
            .Bind(4, request.Fence).Bind(5, request.Attempts);
        BindTimes(update, 6, request).Bind(11, request.Reason).Bind(12, request.Result).Bind(13, request.Failure).Run();
    }

    /// <summary>A request; null when there is none.</summary>
    internal RequestRecord? Find(RequestId id)
    {
        Span<byte> bytes = stackalloc byte[RequestId.Size];
        id.WriteBytes(bytes);
        return Single(_byId.Bind(1, bytes));
    }

    /// <summary>Requests of a range of keys, in order.</summary>
    /// <param name="after">Behind this key.</param>
    /// <param name="last">Up to this one.</param>
    /// <param name="most">How many.</param>
    /// <param name="into">Gets them.</param>
    internal void Read(long after, long last, int most, List<RequestRecord> into) =>
        ReadAll(_range.Bind(1, after).Bind(2, last).Bind(3, most), into);

    /// <summary>Requests whose lease has ended by a moment.</summary>
    internal void ReadLeases(long now, int most, List<RequestRecord> into) => ReadAll(_leases.Bind(1, now).Bind(2, most), into);

    /// <summary>Queued requests of a campaign that waited for a moment that has come, those that have waited longest first.</summary>
    internal void ReadDue(int campaign, long now, int most, List<RequestRecord> into) =>
        ReadAll(_waiting.Bind(1, campaign).Bind(2, now).Bind(3, most), into);

    /// <summary>A request's body; empty without.</summary>
    internal byte[] ReadBody(long key)
    {
        byte[] content = _body.Bind(1, key).Step() ? _body.Bytes(0).ToArray() : [];
        _body.Reset();
        return content;
    }

    /// <summary>Takes the user and the body out of a request.</summary>
    internal void Erase(long key)
    {
        _eraseUser.Bind(1, key).Run();
        _dropBody.Bind(1, key).Run();
    }

    /// <summary>Deletes a request's body.</summary>
    internal void DropBody(long key) => _dropBody.Bind(1, key).Run();

    public void Dispose()
    {
        foreach (Statement statement in (Statement[])[_insert, _insertBody, _update, _byId, _range, _leases, _waiting, _body,
            _eraseUser, _dropBody])
        {
            statement.Dispose();
        }
    }

    private static Statement BindTimes(Statement statement, int first, RequestRecord request) =>
        statement.Bind(first, request.Times.Received).Bind(first + 1, request.Times.Queued).Bind(first + 2, request.Times.Processing)
            .Bind(first + 3, request.Times.Final).Bind(first + 4, request.Due);

    private static RequestRecord? Single(Statement statement)
    {
        RequestRecord? found = statement.Step() ? RequestRows.Read(statement) : null;
        statement.Reset();
        return found;
    }

    private static void ReadAll(Statement statement, List<RequestRecord> into)
    {
        while (statement.Step())
        {
            into.Add(RequestRows.Read(statement));
        }
    }
}
