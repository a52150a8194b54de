// The operator's side of the database: dead letters, offsets, and what the ledger says.
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Npgsql;

namespace Estat.Topics.Hosting;

/// <summary>Owns a few connections, apart from the sink's and the queries', so that the operator gets through while both are busy. Any
/// thread.</summary>
internal sealed class OperatorDesk : IAsyncDisposable
{
    /// <summary>Most connections at once.</summary>
    internal const int Connections = 4;

    private const int ConnectSeconds = 3;
    private const int CommandSeconds = 60;

    private readonly NpgsqlDataSource _source;

    /// <param name="address">The database.</param>
    /// <param name="log">The log.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where everything is told.</param>
    internal OperatorDesk(
        NpgsqlConnectionStringBuilder address, ITopicLog log, TopicsOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(address.ConnectionString)
        {
            ApplicationName = "estat operator",
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = Connections,
            Timeout = ConnectSeconds,
            CommandTimeout = CommandSeconds,
            Enlist = false,
        });
        Letters = new DeadLetters(_source, log, options, time);
        Offsets = new SinkOffsets(_source, log, options);
        Ledger = new MessageLedger(_source, log, options, time, loggers.CreateLogger<MessageLedger>());
    }

    /// <summary>Dead letters.</summary>
    internal DeadLetters Letters { get; }

    /// <summary>Where the sink goes on.</summary>
    internal SinkOffsets Offsets { get; }

    /// <summary>Where all messages are.</summary>
    internal MessageLedger Ledger { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }
}
