namespace Estat.Core.Spooling;

internal sealed partial class SpoolBacklog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Segments} segments with {Events} events were left in {Folder}; they are uploaded now")]
    private static partial void LogFound(ILogger logger, int segments, long events, string folder);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Events} events of {Key} wait in the spool: {Reason}")]
    private static partial void LogParked(ILogger logger, long events, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The seal of segment {Segment} could not be written: {Error}. Its batch waits in the spool; free space in SPOOL_DIR")]
    private static partial void LogNotSealed(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Segment {Segment} cannot be read: {Error}. It is tried again; look at the disk of SPOOL_DIR")]
    private static partial void LogUnreadable(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} waits in the spool: {Error}")]
    private static partial void LogAttemptFailed(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} ended in {Bytes} bytes that were never acknowledged; they were cut off and lie under {Key}")]
    private static partial void LogTailCut(ILogger logger, string segment, long bytes, string key);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}): acknowledged events may be among the bytes that now lie under {Key}. Look at the disk of SPOOL_DIR")]
    private static partial void LogDamaged(ILogger logger, string segment, string key, string reason);
}
