// The tables' partitions, one for each day (UTC): made before a batch needs them, dropped when TOPICS_KEEP is over.
using System.Globalization;
using Npgsql;

namespace Estat.Topics.Postgres;

/// <summary>
/// Days far from now have no partition: their rows, of a producer with a wrong clock, go to the DEFAULT one. So do rows of a day that the DEFAULT
/// partition already has rows of. One user at a time.
/// </summary>
/// <param name="time">Only to tell near days from far ones, and what TOPICS_KEEP is over for.</param>
internal sealed class DayPartitions(TimeProvider time)
{
    private const long DayLength = 86_400_000;
    private const int DaysBack = 800;
    private const int DaysAhead = 2;

    // Rows that are deleted by one statement, and statements of one chore.
    private const int Piece = 5_000;
    private const int MostPieces = 20;

    // "estat" and "days" in ASCII: makers and droppers of all nodes take turns.
    private const long Lock = 0x6573746174_01;

    // A dropped table costs some locks, and the server has room for a few thousand of all sessions.
    private const int TablesAtOnce = 8;
    private const int DayDigits = 8;

    // DDL waits for queries, and queries that come then wait for it. They wait too while a DEFAULT partition is searched for rows of a new day. So it
    // is tried again later.
    private const string LockTimeout = "SET LOCAL lock_timeout = '3s'";
    private const string StatementTimeout = "SET LOCAL statement_timeout = '5s'";

    private readonly HashSet<long> _made = [];

    /// <summary>The day of a time: days since 1970.</summary>
    /// <param name="milliseconds">Since 1970.</param>
    internal static long DayOf(long milliseconds) => Math.DivRem(milliseconds, DayLength).Quotient;

    /// <summary>Makes the partitions of days that have none yet.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="days">What a batch needs.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async ValueTask EnsureAsync(NpgsqlConnection connection, IEnumerable<long> days, CancellationToken cancellationToken)
    {
        foreach (long day in days)
        {
            if (!_made.Contains(day))
            {
                await EnsureAsync(connection, day, cancellationToken).ConfigureAwait(false);
                _made.Add(day);
            }
        }
    }

    /// <summary>Today and tomorrow, so that no batch waits for them at midnight.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal ValueTask EnsureNearAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        EnsureAsync(connection, [Today, Today + 1], cancellationToken);

    /// <summary>Before which time days were dropped: such messages are not stored again.</summary>
    /// <param name="connection">Any.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Milliseconds since 1970; zero when no day was dropped.</returns>
    internal static async Task<long> CutAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand("SELECT coalesce(max(extract(epoch FROM before))::bigint * 1000, 0) FROM dropped_days", connection);
        return (long)(await ask.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Drops days that are older than they are kept, the oldest first.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="keep">TOPICS_KEEP; zero: for ever.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether nothing is left to drop.</returns>
    internal async Task<bool> DropAsync(NpgsqlConnection connection, TimeSpan keep, CancellationToken cancellationToken)
    {
        if (keep <= TimeSpan.Zero)
        {
            return true;
        }

        long first = Today - (long)Math.Ceiling(keep.TotalDays);
        // Committed before: what follows may be broken off, and a day that was dropped is not made again.
        await InTransactionAsync(
            connection,
            [
                $"INSERT INTO dropped_days (before) VALUES ('{Midnight(first)}') "
                    + "ON CONFLICT (only_row) DO UPDATE SET before = greatest(dropped_days.before, excluded.before)",
            ],
            cancellationToken).ConfigureAwait(false);
        _made.RemoveWhere(day => day < first);
        var old = new List<string>();
        foreach (StoredTable table in StoredTable.All)
        {
            old.AddRange(await OldAsync(connection, table, first, cancellationToken).ConfigureAwait(false));
        }

        string[][] chunks = [.. old.OrderBy(name => name[^DayDigits..], StringComparer.Ordinal).Chunk(TablesAtOnce)];
        foreach (string[] chunk in chunks.Take(MostPieces))
        {
            await InTransactionAsync(connection, chunk.Select(name => $"DROP TABLE {name}"), cancellationToken).ConfigureAwait(false);
        }

        return await EmptyAsync(connection, first, cancellationToken).ConfigureAwait(false) && chunks.Length <= MostPieces;
    }

    // What the DEFAULT partitions have of those days goes in small pieces: what is left, the next time.
    private static async Task<bool> EmptyAsync(NpgsqlConnection connection, long first, CancellationToken cancellationToken)
    {
        bool isAll = true;
        foreach (StoredTable table in StoredTable.All)
        {
            int deleted = Piece;
            for (int pieces = 0; pieces < MostPieces && deleted == Piece; pieces++)
            {
                await using var delete = new NpgsqlCommand(
                    $"DELETE FROM {table.Name}_default WHERE ctid = ANY (ARRAY("
                    + $"SELECT ctid FROM {table.Name}_default WHERE \"timestamp\" < '{Midnight(first)}' LIMIT {Piece}))",
                    connection);
                deleted = await delete.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }

            isAll &= deleted < Piece;
        }

        return isAll;
    }

    private long Today => DayOf(time.GetUtcNow().ToUnixTimeMilliseconds());

    private static string Midnight(long day) =>
        DateTimeOffset.FromUnixTimeMilliseconds(day * DayLength).ToString("yyyy-MM-dd' 00:00:00+00'", CultureInfo.InvariantCulture);

    private static string NameOf(StoredTable table, long day) =>
        DateTimeOffset.FromUnixTimeMilliseconds(day * DayLength).ToString($"'{table.Name}_d'yyyyMMdd", CultureInfo.InvariantCulture);

    private static async Task<IReadOnlyList<string>> OldAsync(
        NpgsqlConnection connection, StoredTable table, long first, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass "
            + "AND c.relname ~ '_d[0-9]{8}$' AND c.relname < $2 ORDER BY 1",
            connection)
        {
            Parameters = { new() { Value = table.Name }, new() { Value = NameOf(table, first) } },
        };
        var names = new List<string>();
        await using NpgsqlDataReader answer = await ask.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await answer.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            names.Add(answer.GetString(0));
        }

        return names;
    }

    private async Task EnsureAsync(NpgsqlConnection connection, long day, CancellationToken cancellationToken)
    {
        if (day < Today - DaysBack || day > Today + DaysAhead)
        {
            return;
        }

        foreach (StoredTable table in StoredTable.All)
        {
            if (await IsThereAsync(connection, NameOf(table, day), cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            try
            {
                await MakeAsync(connection, table, day, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.CheckViolation or PostgresErrorCodes.DuplicateTable)
            {
                // The DEFAULT partition has rows of that day: it keeps them, and gets the rest of the day. Or another node was quicker.
            }
        }
    }

    // Attached, not made as a partition: that takes no lock which readers and writers of the table wait for, but only one on the DEFAULT partition.
    private static async Task MakeAsync(NpgsqlConnection connection, StoredTable table, long day, CancellationToken cancellationToken)
    {
        string name = NameOf(table, day);
        await InTransactionAsync(
            connection,
            [
                $"CREATE TABLE {name} (LIKE {table.Name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE)",
                $"ALTER TABLE {table.Name} ATTACH PARTITION {name} FOR VALUES FROM ('{Midnight(day)}') TO ('{Midnight(day + 1)}')",
            ],
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task<bool> IsThereAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", connection) { Parameters = { new() { Value = table } } };
        return await ask.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    // Alone among all nodes, and for some seconds at the most.
    private static async Task InTransactionAsync(
        NpgsqlConnection connection, IEnumerable<string> statements, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        foreach (string statement in (string[])[LockTimeout, StatementTimeout, $"SELECT pg_advisory_xact_lock({Lock})", .. statements])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }
}
