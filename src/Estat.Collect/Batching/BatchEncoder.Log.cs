namespace Estat.Collect.Batching;

internal sealed partial class BatchEncoder
{
    [LoggerMessage(Level = LogLevel.Error, Message = "gzip of batch {Key} failed. The node writes the rest uncompressed, and will store the batch in "
        + "the quarantine (DLQ_PREFIX)")]
    private static partial void LogCompressionFailed(ILogger logger, Exception error, string key);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Events} events of batch {Key} were lost inside the failed compressor")]
    private static partial void LogLinesLost(ILogger logger, long events, string key);
}
