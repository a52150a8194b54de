// What runs behind the paths of Topics, from start to drain.
using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Estat.Topics.Sink;
using Npgsql;

namespace Estat.Topics.Hosting;

/// <summary>Owns the log, the sink and the operator's connections.</summary>
internal sealed class TopicsEngine : IAsyncDisposable
{
    private volatile bool _isDraining;

    /// <summary>Opens the log; the database is not asked before the start.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where everything is told.</param>
    /// <param name="log">The log; null: the embedded one in TOPICS_DIR. Becomes this one's.</param>
    /// <exception cref="IOException">The log cannot be opened.</exception>
    /// <exception cref="Base.Options.OptionException">TOPICS_DATABASE is no address.</exception>
    internal TopicsEngine(TopicsOptions options, TimeProvider time, ILoggerFactory loggers, ITopicLog? log = null)
    {
        Options = options;
        Address = DatabaseAddress.Read(options);
        Log = log ?? EmbeddedLog.Open(options, time, loggers.CreateLogger<EmbeddedLog>());
        Sink = options.Sink && Address is not null ? new SinkLoop(Log, Address, options, time, loggers.CreateLogger<SinkLoop>()) : null;
        Desk = Address is not null ? new OperatorDesk(Address, Log, options, time, loggers) : null;
    }

    /// <summary>Its options.</summary>
    internal TopicsOptions Options { get; }

    /// <summary>Where messages wait and are kept.</summary>
    internal ITopicLog Log { get; }

    /// <summary>The database; null: none is set.</summary>
    internal NpgsqlConnectionStringBuilder? Address { get; }

    /// <summary>Who writes to it; null: this node does not.</summary>
    internal SinkLoop? Sink { get; }

    /// <summary>What the operator does with the database; null: none is set.</summary>
    internal OperatorDesk? Desk { get; }

    /// <summary>Whether nothing is taken any more.</summary>
    internal bool IsDraining => _isDraining;

    /// <summary>Why no messages are taken, or none are stored until somebody acts; null while all is well, and while the database is away.</summary>
    internal string? Fault => Log.Fault ?? (Sink?.State is { Activity: SinkActivity.Stopped } state ? $"the sink has stopped: {state.Why}" : null);

    /// <summary>Begins.</summary>
    internal void Start()
    {
        Sink?.Start();
        Desk?.Ledger.Start();
    }

    /// <summary>Nothing is taken any more.</summary>
    internal void BeginDrain() => _isDraining = true;

    /// <summary>Ends the sink after the transaction that is under way. What is not stored waits in the log.</summary>
    /// <param name="budget">Time for it.</param>
    /// <param name="hurry">Cancelled when there is none left.</param>
    internal async Task DrainAsync(TimeSpan budget, CancellationToken hurry)
    {
        if (Sink is not { } sink)
        {
            return;
        }

        Task stopping = sink.StopAsync(budget);
        await stopping.WaitAsync(hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stopping.IsCompleted)
        {
            await sink.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Sink is not null)
        {
            await Sink.DisposeAsync().ConfigureAwait(false);
        }

        if (Desk is not null)
        {
            await Desk.DisposeAsync().ConfigureAwait(false);
        }

        await Log.DisposeAsync().ConfigureAwait(false);
    }
}
