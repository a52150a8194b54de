namespace Estat.Core.Spooling;

internal sealed partial class SpoolBacklog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Segments} segments with {Events} events were left in {Folder}; they are uploaded now")]
    private static partial void LogFound(ILogger logger, int segments, long events, string folder);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Events} events of {Key} wait in the spool: {Reason}")]
    private static partial void LogParked(ILogger logger, long events, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Segment {Segment} cannot be read: {Error}. It is tried again; look at the disk of SPOOL_DIR")]
    private static partial void LogUnreadable(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} waits in the spool: {Error}")]
    private static partial void LogAttemptFailed(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} ends in {Bytes} bytes that are no whole record, as a crash leaves of a write that nobody was told of; they now lie under {Key}")]
    private static partial void LogTailCut(ILogger logger, string segment, long bytes, string key);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}): acknowledged events may be among the bytes that now lie under {Key}. Look at the disk of SPOOL_DIR")]
    private static partial void LogDamaged(ILogger logger, string segment, string key, string reason);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}) and there is nothing behind what is readable: acknowledged events are lost. Look at the disk of SPOOL_DIR")]
    private static partial void LogCutShort(ILogger logger, string segment, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Segment {Segment} was written by another version of Estat and is left alone. Start that version over this SPOOL_DIR to upload it")]
    private static partial void LogOtherVersion(ILogger logger, string segment);
}
