namespace Estat.Collect.Uploading;

internal sealed partial class SpoolBacklog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Segments} segments with {Events} events of an earlier run are in {Folder}; the node "
        + "uploads them now")]
    private static partial void LogFound(ILogger logger, int segments, long events, string folder);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Events} events of {Key} wait in the spool: {Reason}")]
    private static partial void LogParked(ILogger logger, long events, string key, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Segment {Segment} cannot be read: {Error}. The node tries it again. Check the disk of SPOOL_DIR")]
    private static partial void LogUnreadable(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} waits in the spool: {Error}")]
    private static partial void LogAttemptFailed(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Segment {Segment} ends in {Bytes} bytes that are not a whole record. A crash leaves such "
        + "bytes of a write that was never acknowledged. They are now stored as {Key}")]
    private static partial void LogTailCut(ILogger logger, string segment, long bytes, string key);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}): acknowledged events may be among the bytes that are now stored as {Key}. Check the disk "
            + "of SPOOL_DIR")]
    private static partial void LogDamaged(ILogger logger, string segment, string key, string reason);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}) and holds nothing after its readable part: acknowledged events are lost. Check the disk "
            + "of SPOOL_DIR")]
    private static partial void LogCutShort(ILogger logger, string segment, string reason);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} is damaged ({Reason}) and nothing in it can be read: acknowledged events may be lost. Check the disk of "
            + "SPOOL_DIR")]
    private static partial void LogEmptied(ILogger logger, string segment, string reason);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Segment {Segment} was written by another version of Estat, or is damaged. It stays where it is, and {Key} is a "
            + "copy of it. To store its events, start that version with this SPOOL_DIR")]
    private static partial void LogOtherVersion(ILogger logger, string segment, string key);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The version byte of segment {Segment} was damaged. All else is intact, and its events are stored. Check the disk of SPOOL_DIR")]
    private static partial void LogVersionDamaged(ILogger logger, string segment);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "{Segments} segments in {Folder} were removed before they were uploaded: {Events} acknowledged events are lost and counted as "
            + "dropped ({Names}). If the files still exist, put them back and restart the node: it stores what it finds at its start")]
    private static partial void LogMissing(ILogger logger, int segments, string folder, long events, string names);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Removed {Segments} spare segments that an earlier start had made in advance and never used")]
    private static partial void LogSparesRemoved(ILogger logger, int segments);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Removed {Segments} empty segments. The earlier version of Estat that made them also made empty files in advance, so the node "
            + "cannot tell whether these ever held events")]
    private static partial void LogEmptyRemoved(ILogger logger, int segments);
}
