// Where all messages are: produced = stored + waiting + dead letters + held + discarded.
using Estat.Base.Logging;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Npgsql;

namespace Estat.Topics.Hosting;

/// <summary>What the database said at one moment.</summary>
/// <param name="Passed">Messages that the sink has passed, in all partitions: it stored them, or they are dead letters.</param>
/// <param name="Stored">Messages that were stored.</param>
/// <param name="Discarded">Dead letters of which nothing was stored, and that the operator gave up.</param>
/// <param name="Open">Open dead letters by topic and kind.</param>
internal sealed record LedgerReading(
    long Passed, long Stored, long Discarded, IReadOnlyDictionary<(string Topic, DeadLetterKind Kind), long> Open)
{
    /// <summary>Open dead letters of a kind.</summary>
    /// <param name="kind">The kind.</param>
    internal long OpenOf(DeadLetterKind kind) => Open.Where(count => count.Key.Kind == kind).Sum(count => count.Value);
}

/// <summary>
/// The ledger at one moment. A reset forward, or an adopted log, leaves a difference: what the operator passed over is nowhere. So is what was never
/// stored, as TOPICS_KEEP was over for its day, or the log had deleted it.
/// </summary>
/// <param name="Produced">Messages that the log has taken.</param>
/// <param name="Stored">Messages in PostgreSQL, with those that TOPICS_KEEP dropped since.</param>
/// <param name="Waiting">Messages in the log that the sink has never passed.</param>
/// <param name="DeadLetters">Open dead letters of kind <c>message</c>.</param>
/// <param name="Held">Messages that wait behind a dead letter of their key.</param>
/// <param name="Discarded">Messages that the operator gave up.</param>
internal readonly record struct LedgerBalance(long Produced, long Stored, long Waiting, long DeadLetters, long Held, long Discarded);

/// <summary>
/// The database's part is one statement, so all of it is of one moment; it is read every few seconds, and kept while the database is away. The log's
/// end is read by <see cref="Balance"/>, once for both sides: what was produced since is waiting. Any thread.
/// </summary>
/// <param name="source">Connections; their owner's.</param>
/// <param name="log">The log.</param>
/// <param name="options">The sink's name.</param>
/// <param name="time">Clock and timer.</param>
/// <param name="logger">Where it tells what is no fault of the database.</param>
internal sealed partial class MessageLedger(
    NpgsqlDataSource source, ITopicLog log, TopicsOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private const string Select = """
        SELECT 'passed', '', coalesce(sum(high_offset), 0)::bigint FROM consumer_offsets WHERE sink = $1
        UNION ALL SELECT 'stored', '', coalesce(sum(message_count), 0)::bigint FROM topic_status
        UNION ALL SELECT 'discarded', '', count(*) FROM dead_letters WHERE state = 'discarded' AND kind <> 'typed' AND sink = $1
        UNION ALL SELECT kind, topic, count(*) FROM dead_letters WHERE state = 'open' AND sink = $1 GROUP BY 1, 2
        """;

    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);

    // Until the sink has made the tables.
    private static readonly TimeSpan FirstPace = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _ending = new();
    private readonly ToldFault _told = new();
    private volatile LedgerReading? _reading;
    private Task _running = Task.CompletedTask;

    /// <summary>What the database said last; null before it first did.</summary>
    internal LedgerReading? Reading => _reading;

    /// <summary>Where all messages are; null before the database first said it.</summary>
    internal LedgerBalance? Balance
    {
        get
        {
            if (_reading is not { } reading)
            {
                return null;
            }

            long produced = log.Topics.Sum(topic => topic.Partitions.Sum(partition => partition.End));
            return new(
                produced, reading.Stored, produced - reading.Passed, reading.OpenOf(DeadLetterKind.Message), reading.OpenOf(DeadLetterKind.Held),
                reading.Discarded);
        }
    }

    /// <summary>Begins to read every few seconds.</summary>
    internal void Start() => _running = Task.Run(RunAsync);

    /// <summary>Reads at once.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(Select, connection) { Parameters = { new() { Value = options.SinkName } } };
        var open = new Dictionary<(string, DeadLetterKind), long>();
        long passed = 0;
        long stored = 0;
        long discarded = 0;
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            long number = reader.GetInt64(2);
            switch (reader.GetString(0))
            {
                case "passed":
                    passed = number;
                    break;
                case "stored":
                    stored = number;
                    break;
                case "discarded":
                    discarded = number;
                    break;
                case var kind:
                    open[(reader.GetString(1), DeadLetter.KindOf(kind))] = number;
                    break;
            }
        }

        _reading = new(passed, stored, discarded, open);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(_ending.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
            {
                // The sink tells that the database is away; what was read last is kept.
            }
            catch (Exception error) when (!_ending.IsCancellationRequested)
            {
                if (_told.IsNews(error.Message))
                {
                    LogNotRead(logger, error);
                }
            }

            await Task.Delay(_reading is null ? FirstPace : Pace, time, _ending.Token).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The metric estat_topics_messages is not read any more, and is tried again. Report this")]
    private static partial void LogNotRead(ILogger logger, Exception error);
}
