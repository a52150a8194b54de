// What Kestrel says of its clients' faults: counted, and told at debug.
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Listening;

/// <summary>
/// Kestrel logs an HTTP/2 connection that it closes for its client's behaviour as critical, and a client that left while its request was handled as
/// an unhandled exception. Anybody who can connect could fill the log and wake somebody by it. Both are counted instead; everything else is logged as
/// it is.
/// </summary>
/// <param name="inner">Where entries go; stays its owner's.</param>
/// <param name="counters">Where they are counted.</param>
internal sealed partial class KestrelLog(ILoggerFactory inner, ConnectionCounters counters) : ILoggerFactory
{
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel";

    // By name: an entry of another one, such as a loop in Kestrel that failed, is not the client's doing.
    private static readonly HashSet<string> OfAbuse =
        ["Http2QueueOperationsExceeded", "Http2FlowControlQueueOperationsExceeded", "Http2TooManyEnhanceYourCalms"];

    // The rest of a body that was answered early is not HTTP: its own 4xx has been counted, and Kestrel closes the connection.
    private const string OfBrokenRest = "RequestBodyDrainBodyReaderInvalidState";

    private readonly ILogger _own = inner.CreateLogger<KestrelLog>();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        ILogger logger = inner.CreateLogger(categoryName);
        return categoryName is Kestrel or Kestrel + ".Http2" or Kestrel + ".Connections" ? new Sorted(logger, this) : logger;
    }

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private bool TryTake(LogLevel level, EventId id, Exception? error, Func<string> message)
    {
        if (level < LogLevel.Warning)
        {
            return false;
        }

        if (id.Name is { } name && OfAbuse.Contains(name))
        {
            counters.Http2Aborted.Increment();
        }
        else if (id.Name != OfBrokenRest && !IsOfClient(error))
        {
            return false;
        }

        if (_own.IsEnabled(LogLevel.Debug))
        {
            LogClientFault(_own, message());
        }

        return true;
    }

    // That the client left, however deep: callbacks of its request's token wrap it.
    private static bool IsOfClient(Exception? error) => error switch
    {
        null => false,
        ConnectionResetException or ConnectionAbortedException => true,
        AggregateException several => several.InnerExceptions.All(IsOfClient),
        _ => IsOfClient(error.InnerException),
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Said}")]
    private static partial void LogClientFault(ILogger logger, string said);

    private sealed class Sorted(ILogger logger, KestrelLog log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!log.TryTake(logLevel, eventId, exception, () => formatter(state, exception)))
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
