// Brings the schema up to date by the numbered SQL files of this assembly, or checks that it is.
using System.Globalization;
using System.Reflection;
using Npgsql;

namespace Estat.Topics.Postgres;

/// <summary>
/// Each file runs once, in order, in one transaction with its row in <c>estat_schema</c>. An advisory lock makes nodes that start at once take turns.
/// </summary>
internal static class TopicsSchema
{
    // The transaction's lock; any number that nothing else in the database uses: "estat" in ASCII.
    private const long Lock = 0x6573746174;
    private const int OldestServer = 140000;

    private static readonly (int Number, string Name)[] Files =
    [
        .. from name in Assembly.GetExecutingAssembly().GetManifestResourceNames()
           where name.EndsWith(".sql", StringComparison.Ordinal)
           orderby name
           select (int.Parse(name[..3], CultureInfo.InvariantCulture), name),
    ];

    /// <summary>The newest version that this program knows.</summary>
    internal static int Newest => Files[^1].Number;

    /// <summary>Makes what is missing, or says that it is missing.</summary>
    /// <param name="connection">An open connection without a transaction.</param>
    /// <param name="migrate">TOPICS_MIGRATE.</param>
    /// <param name="cancellationToken">Ends it; what was begun is undone.</param>
    /// <exception cref="DatabaseUnfitException">The server is too old, or the schema newer than this program, or it may not be made.</exception>
    internal static async Task PrepareAsync(NpgsqlConnection connection, bool migrate, CancellationToken cancellationToken)
    {
        await CheckServerAsync(connection, cancellationToken).ConfigureAwait(false);
        int version = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
        Check(version, migrate);
        if (version == Newest)
        {
            return;
        }

        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({Lock})", cancellationToken).ConfigureAwait(false);
        // Another node may have made it while this one waited for the lock. The table is there for certain before it is read.
        await ExecuteAsync(
            connection,
            "CREATE TABLE IF NOT EXISTS estat_schema (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
            cancellationToken).ConfigureAwait(false);
        version = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
        Check(version, migrate);
        foreach ((int number, string name) in Files.Where(file => file.Number > version))
        {
            await ExecuteAsync(connection, Text(name), cancellationToken).ConfigureAwait(false);
            await using var note = new NpgsqlCommand("INSERT INTO estat_schema (version, name) VALUES ($1, $2)", connection)
            {
                Parameters = { new() { Value = number }, new() { Value = name } },
            };
            await note.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task CheckServerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('server_version')", connection);
        await using NpgsqlDataReader answer = await ask.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await answer.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (answer.GetInt32(0) < OldestServer)
        {
            throw new DatabaseUnfitException($"the database is PostgreSQL {answer.GetString(2)}: topics need 14 or newer");
        }

        if (answer.GetString(1) is var encoding and not "UTF8")
        {
            throw new DatabaseUnfitException($"the database's encoding is {encoding}: topics need one that was made with ENCODING 'UTF8'");
        }
    }

    private static void Check(int version, bool migrate)
    {
        if (version > Newest)
        {
            throw new DatabaseUnfitException(
                $"the database's schema has version {version}, and this program knows {Newest}: a newer Estat has migrated it. Run that one");
        }

        if (version < Newest && !migrate)
        {
            throw new DatabaseUnfitException(
                $"the database's schema has version {version}, and this program needs {Newest}: start one node with TOPICS_MIGRATE=true");
        }
    }

    private static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Not by to_regclass: within a transaction it may remember that the table was not there before the lock.
        await using var find = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            + "WHERE c.relname = 'estat_schema' AND n.nspname = current_schema())",
            connection);
        if (await find.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
        {
            return 0;
        }

        await using var ask = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM estat_schema", connection);
        return (int)(await ask.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static string Text(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // A migration may take as long as it takes, and so may another node's.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
