// The connections of queries: few, each for a short time, apart from the sink's.
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Querying;

/// <summary>
/// At most TOPICS_QUERY_CONNECTIONS at once; who waits longer than <see cref="Patience"/> for one is turned away, and so is everybody when too many
/// wait. PostgreSQL itself ends what takes longer than TOPICS_QUERY_TIMEOUT. Any thread.
/// </summary>
internal sealed partial class QueryDatabase : IAsyncDisposable
{
    /// <summary>How long a query may wait for a connection.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int WaitingForEach = 64;
    private const int ConnectSeconds = 3;

    // Texts of SQL are few: a table's filters in all combinations.
    private const int Prepared = 64;

    private readonly NpgsqlDataSource? _source;
    private readonly SemaphoreSlim _seats;
    private readonly int _mostWaiting;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private int _waiting;
    private int _isAway;

    /// <param name="connectionString">Npgsql's; empty: not set.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="time">Clock of the metrics.</param>
    /// <param name="logger">Where an outage is told.</param>
    internal QueryDatabase(string connectionString, TopicsOptions options, TimeProvider time, ILogger logger)
    {
        _source = connectionString.Length == 0 ? null : NpgsqlDataSource.Create(Settings(connectionString, options));
        _seats = new SemaphoreSlim(options.QueryConnections);
        _mostWaiting = options.QueryConnections * WaitingForEach;
        _time = time;
        _logger = logger;
    }

    /// <summary>What happened to queries.</summary>
    internal QueryCounters Counters { get; } = new();

    /// <summary>Queries that hold a connection or wait for one.</summary>
    internal int InFlight => Volatile.Read(ref _waiting);

    /// <summary>Runs a query. One that met a connection that had gone bad unseen is run once more: all queries here may be.</summary>
    /// <param name="ask">The query. Whatever it makes, it makes anew each time.</param>
    /// <param name="cancellationToken">Ends the wait and the query.</param>
    /// <exception cref="QueryException">It has no answer now.</exception>
    internal async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        long began = _time.GetTimestamp();
        try
        {
            if (_source is null)
            {
                throw new QueryException(QueryFault.NotSet, "TOPICS_DATABASE is not set");
            }

            await TakeSeatAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                T answer = await AskAsync(_source, ask, cancellationToken).ConfigureAwait(false);
                OnAnswered();
                return answer;
            }
            finally
            {
                _seats.Release();
                Interlocked.Decrement(ref _waiting);
            }
        }
        catch (QueryException error)
        {
            Counters.Faults(error.Fault).Increment();
            OnFault(error);
            throw;
        }
        finally
        {
            Counters.OnEnded(_time.GetElapsedTime(began));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
        {
            await _source.DisposeAsync().ConfigureAwait(false);
        }

        _seats.Dispose();
    }

    /// <summary>The connections' settings. Each query is planned for its own values: which days it needs, and which index its filter wants, differ
    /// from one to the next. Pages are found by index, in few blocks that are mostly in memory, so one block costs little more than the
    /// next.</summary>
    internal static string Settings(string connectionString, TopicsOptions options)
    {
        long limit = (long)options.QueryTimeout.TotalMilliseconds;
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "estat query",
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = options.QueryConnections,
            Timeout = ConnectSeconds,
            CommandTimeout = (int)Math.Ceiling(options.QueryTimeout.TotalSeconds) + 2,
            MaxAutoPrepare = Prepared,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true, // no query changes anything of its session
            Enlist = false,
        };
        settings.Options = $"{settings.Options} -c statement_timeout={limit} -c idle_in_transaction_session_timeout={limit} -c TimeZone=UTC "
            + "-c jit=off -c plan_cache_mode=force_custom_plan -c random_page_cost=1.1";
        return settings.ConnectionString;
    }

    private async Task TakeSeatAsync(CancellationToken cancellationToken)
    {
        bool isTaken = false;
        try
        {
            isTaken = Interlocked.Increment(ref _waiting) <= _mostWaiting
                && await _seats.WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!isTaken)
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        if (!isTaken)
        {
            throw new QueryException(QueryFault.Busy, "all TOPICS_QUERY_CONNECTIONS are busy");
        }
    }

    private static async Task<T> AskAsync<T>(
        NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        for (bool isFirst = true; ; isFirst = false)
        {
            bool isOpen = false;
            try
            {
                NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    isOpen = true;
                    return await ask(connection, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested && FaultOf(error, isOpen) is { } fault)
            {
                if (!isFirst || !isOpen || fault != QueryFault.Away)
                {
                    throw new QueryException(fault, error.Message, error);
                }
            }
        }
    }

    // Null: the query itself is wrong, which is our fault.
    private static QueryFault? FaultOf(Exception error, bool isOpen) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => QueryFault.TooSlow,
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } => QueryFault.NoTables,
        // Connections, authorization, a database that is not there, what it has too little of, an operator who ends it, its disk, and transactions
        // that it rolled back because of others.
        PostgresException
        {
            SqlState: ['0', '8', ..] or ['2', '8', ..] or ['3', 'D', ..] or ['4', '0', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..]
        } => QueryFault.Away,
        // Rights that the role lacks, a replica that only reads, and a lock that others hold.
        PostgresException
        {
            SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.LockNotAvailable
        } => QueryFault.Away,
        PostgresException => null,
        NpgsqlException { InnerException: TimeoutException } when isOpen => QueryFault.TooSlow,
        NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException => QueryFault.Away,
        _ => null,
    };

    private void OnAnswered()
    {
        if (Volatile.Read(ref _isAway) != 0 && Interlocked.Exchange(ref _isAway, 0) != 0)
        {
            LogBack(_logger);
        }
    }

    private void OnFault(QueryException error)
    {
        if (error.Fault is QueryFault.Away or QueryFault.NoTables && Interlocked.Exchange(ref _isAway, 1) == 0)
        {
            LogAway(_logger, error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Queries get 503: the database does not answer as it should ({Reason}). Look at TOPICS_DATABASE and at PostgreSQL's log")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The database answers queries again")]
    private static partial void LogBack(ILogger logger);
}
