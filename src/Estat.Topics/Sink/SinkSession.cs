// A sink's connection to the database, with an epoch of its own.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// One connection, which is never used again once anything of a transaction failed. Its <c>application_name</c> carries sink and epoch, so that who
/// takes over finds it. One user at a time.
/// </summary>
internal sealed class SinkSession : IAsyncDisposable
{
    private const string NamePrefix = "estat-sink/";

    // application_name holds 63 bytes.
    private const int LongestName = 30;

    private SinkSession(NpgsqlConnection connection, long epoch, int process, string name)
    {
        (Connection, Epoch, Process, Prefix) = (connection, epoch, process, name);
    }

    /// <summary>The connection; open.</summary>
    internal NpgsqlConnection Connection { get; }

    /// <summary>The epoch of the partitions that this session takes over. No other session ever has it.</summary>
    internal long Epoch { get; private set; }

    /// <summary>The server's process. Not from the connection: behind a pooler that is another number.</summary>
    internal int Process { get; }

    /// <summary>How the <c>application_name</c> of all sessions of this sink begins.</summary>
    internal string Prefix { get; }

    /// <summary>A source of connections for the sink: not shared with queries.</summary>
    /// <param name="address">The database.</param>
    /// <param name="options">For how long a statement may take.</param>
    internal static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder address, TopicsOptions options)
    {
        var own = new NpgsqlConnectionStringBuilder(address.ConnectionString)
        {
            // The server's own limit comes first: the address's would end what is allowed to take longer.
            CommandTimeout = (int)(LimitOf(options) / 1000) + 10,
            ClientEncoding = "UTF8",
            // Each session has settings of its own, and one that failed is never used again.
            Pooling = false,
            Enlist = false,
            MaxAutoPrepare = 40,
            AutoPrepareMinUsages = 3,
            WriteBufferSize = 64 << 10,
        };
        if (own.Host?.Contains(',', StringComparison.Ordinal) == true && own.TargetSessionAttributes is null)
        {
            own.TargetSessionAttributes = "primary";
        }

        return NpgsqlDataSource.Create(own);
    }

    /// <summary>Begins a session on an open connection.</summary>
    /// <param name="connection">The session's from now on.</param>
    /// <param name="options">The sink's name, and for how long a statement may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<SinkSession> BeginAsync(NpgsqlConnection connection, TopicsOptions options, CancellationToken cancellationToken)
    {
        string prefix = $"{NamePrefix}{Shorten(options.SinkName)}/";
        long limit = LimitOf(options);
        await using var command = new NpgsqlCommand(
            """
            SELECT epoch, set_config('application_name', $1 || epoch, false), set_config('statement_timeout', $2, false),
                set_config('idle_in_transaction_session_timeout', $2, false), set_config('timezone', 'UTC', false), pg_backend_pid()
            FROM nextval('sink_epochs') AS epoch
            """,
            connection)
        {
            Parameters = { new() { Value = prefix }, new() { Value = limit.ToString(CultureInfo.InvariantCulture) } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new SinkSession(connection, reader.GetInt64(0), reader.GetInt32(5), prefix);
    }

    /// <summary>Takes another epoch, for partitions that come later: the old one may still be in a transaction of which nobody knows.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task RenewAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT epoch, set_config('application_name', $1 || epoch, false) FROM nextval('sink_epochs') AS epoch", Connection)
        {
            Parameters = { new() { Value = Prefix } },
        };
        Epoch = (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Ends the session. What a transaction has not committed is undone.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // A broken connection that cannot be closed properly is closed all the same.
        }
    }

    // Milliseconds: longer than anybody waits at a takeover, so that a session that hangs ends by itself where nobody takes over.
    private static long LimitOf(TopicsOptions options) => (long)Math.Max(60_000, options.Takeover.TotalMilliseconds * 3);

    private static string Shorten(string sink) => Encoding.UTF8.GetByteCount(sink) <= LongestName
        ? sink
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sink)))[..LongestName];
}
