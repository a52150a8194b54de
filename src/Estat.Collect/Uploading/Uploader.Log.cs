namespace Estat.Collect.Uploading;

internal sealed partial class Uploader
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Events} events of {Key} wait in the DLQ: {Reason}")]
    private static partial void LogMovedToDlq(ILogger logger, long events, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The DLQ did not take {Key}: {Error}. The batch stays in memory, and the node tries again. "
        + "DLQ_DIR: {Advice}")]
    private static partial void LogDlqWriteFailed(ILogger logger, string error, string key, string advice);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "{Events} events of {Key} are lost: SHUTDOWN_TIMEOUT was over, and neither storage nor DLQ_DIR took them")]
    private static partial void LogDropped(ILogger logger, long events, string key);

    [LoggerMessage(Level = LogLevel.Error, Message = "The upload of {Key} crashed; the batch goes to the DLQ")]
    private static partial void LogUploadCrashed(ILogger logger, Exception error, string key);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Could not end an upload early; it ends at its own time limit")]
    private static partial void LogCancelFailed(ILogger logger, Exception error);
}
