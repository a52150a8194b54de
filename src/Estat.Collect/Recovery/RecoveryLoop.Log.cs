namespace Estat.Collect.Recovery;

internal sealed partial class RecoveryLoop
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Recovered {Key}: {Events} events left the DLQ after {Attempts} failed attempts")]
    private static partial void LogRecovered(ILogger logger, string key, long events, int attempts);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Payload} cannot be read as gzip JSONL ({Fault}); its bytes are in the quarantine as {Key}")]
    private static partial void LogQuarantined(ILogger logger, string payload, string key, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Recovery of {Payload} failed: {Error}")]
    private static partial void LogAttemptFailed(ILogger logger, string payload, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Payload} stays in the DLQ: {Error}")]
    private static partial void LogStorageFailed(ILogger logger, string payload, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Payload} has waited since {Opened:u}, longer than DLQ_MAX_AGE; the node still uploads it")]
    private static partial void LogExpired(ILogger logger, string payload, DateTimeOffset opened);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Payload} has no readable meta file; recovery takes its object key from its name, and its "
        + "seal from its content")]
    private static partial void LogMetaMissing(ILogger logger, string payload);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not save when {Payload} is tried next: {Error}")]
    private static partial void LogRescheduleFailed(ILogger logger, string payload, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not save that {Payload} has waited longer than DLQ_MAX_AGE: {Error}")]
    private static partial void LogAlarmNotNoted(ILogger logger, string payload, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not read all of {Folder} at start: {Error}. The counts of the DLQ are too low")]
    private static partial void LogScanFailed(ILogger logger, string folder, string error);
}
