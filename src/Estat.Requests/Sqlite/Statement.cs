// A prepared statement, bound and stepped without the boxes and readers of ADO.NET: a writer runs a hundred thousand of them a second.
using System.Text;
using SQLitePCL;
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>One connection's, and so one thread's at a time. Parameters are numbered from 1, columns from 0.</summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;
    private readonly string _sql;

    internal Statement(sqlite3 connection, string sql)
    {
        _connection = connection;
        _sql = sql;
        Check(raw.sqlite3_prepare_v3(connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    /// <summary>Binds a number.</summary>
    internal Statement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    /// <summary>Binds bytes; SQLite copies them.</summary>
    internal Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_blob(_statement, index, value));
        return this;
    }

    /// <summary>Binds a text, or NULL.</summary>
    internal Statement Bind(int index, string? value)
    {
        Check(value is null ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    /// <summary>Binds bytes, or NULL when there are none.</summary>
    internal Statement BindOrNull(int index, ReadOnlySpan<byte> value)
    {
        Check(value.IsEmpty ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_blob(_statement, index, value));
        return this;
    }

    /// <summary>Goes on to the next row.</summary>
    /// <returns>False when there is none; the statement is ready to be bound again then.</returns>
    internal bool Step()
    {
        int code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        Reset();
        if (code != raw.SQLITE_DONE)
        {
            throw SqliteErrors.Of(_connection, code, _sql);
        }

        return false;
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>Rows that it changed.</returns>
    internal int Run()
    {
        while (Step())
        {
        }

        return raw.sqlite3_changes(_connection);
    }

    /// <summary>Leaves the rows that are left, and lets go of what was bound.</summary>
    internal void Reset()
    {
        _ = raw.sqlite3_reset(_statement); // repeats the error of the last step, which was thrown already
        _ = raw.sqlite3_clear_bindings(_statement);
    }

    /// <summary>A column as a number; NULL is 0.</summary>
    internal long Long(int column) => raw.sqlite3_column_int64(_statement, column);

    /// <summary>A column as a number.</summary>
    internal int Int(int column) => raw.sqlite3_column_int(_statement, column);

    /// <summary>A column as bytes, until the next step.</summary>
    internal ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    /// <summary>Whether a column is NULL.</summary>
    internal bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    /// <summary>A column as text; null for NULL. By its bytes: SQLite's own text ends at the first NUL.</summary>
    internal string? Text(int column) => IsNull(column) ? null : Encoding.UTF8.GetString(raw.sqlite3_column_blob(_statement, column));

    public void Dispose() => _statement.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            throw SqliteErrors.Of(_connection, code, _sql);
        }
    }
}

/// <summary>What SQLite's errors mean here.</summary>
internal static class SqliteErrors
{
    /// <summary>The error of a call.</summary>
    internal static StoreException Of(sqlite3 connection, int code, string what)
    {
        string said = raw.sqlite3_errmsg(connection).utf8_to_string();
        int extended = raw.sqlite3_extended_errcode(connection);
        return new StoreException($"SQLite failed ({said}, code {extended}) at: {Shorten(what)}") { IsFull = (code & 0xFF) == raw.SQLITE_FULL };
    }

    private static string Shorten(string sql)
    {
        const int Most = 80;
        var text = new StringBuilder(string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        return text.Length <= Most ? text.ToString() : text.ToString(0, Most) + "…";
    }
}
