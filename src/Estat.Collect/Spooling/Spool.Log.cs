namespace Estat.Collect.Spooling;

internal sealed partial class Spool
{
    [LoggerMessage(Level = LogLevel.Error,
        Message = "The spool's disk failed at {Segment}: {Error}. The node did not acknowledge the events of that sync, and begins a new segment")]
    private static partial void LogFailed(ILogger logger, string segment, string error);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "The disk of SPOOL_DIR {Folder} keeps failing: the node answers events with 503 until a test write succeeds. {Advice}")]
    private static partial void LogFailing(ILogger logger, string folder, string advice);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The disk of SPOOL_DIR {Folder} still fails: {Error}")]
    private static partial void LogStillFailing(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The disk of SPOOL_DIR {Folder} works again")]
    private static partial void LogWorksAgain(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The free space of SPOOL_DIR {Folder} cannot be read: {Error}")]
    private static partial void LogFreeSpaceUnknown(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Segment {Name} cannot be deleted ({Error}); its batch is safe elsewhere, and the next start will recognise it")]
    private static partial void LogNotDeleted(ILogger logger, string name, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The identity file in SPOOL_DIR {Folder} is not readable, so the spool gets a new id. The node still recovers its segments")]
    private static partial void LogIdentityUnreadable(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A sync on the disk of SPOOL_DIR {Folder} has hung for more than {Seconds} s. The node "
        + "answers events with 503 until it returns. Check the disk")]
    private static partial void LogHangs(ILogger logger, string folder, double seconds);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Could not write the seal of segment {Segment}: {Error}. The node uploads its batch from memory. Check the disk of SPOOL_DIR")]
    private static partial void LogSealFailed(ILogger logger, string segment, string error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The spool {Folder} is full: it holds {Bytes} bytes (SPOOL_MAX_SIZE_BYTES) and its disk has {Free} free (DISK_MIN_FREE_BYTES). New "
            + "requests get 503; make room, or repair storage")]
    private static partial void LogFull(ILogger logger, string folder, long bytes, long free);

    [LoggerMessage(Level = LogLevel.Information, Message = "The spool {Folder} has room again: it holds {Bytes} bytes and its disk has {Free} free")]
    private static partial void LogRoomAgain(ILogger logger, string folder, long bytes, long free);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "SPOOL_DIR {Folder} {Why}. The node writes nothing there, because it would be lost, answers events with 503, and uploads what its "
            + "open files hold. Put back what was removed, or restart the node with another folder")]
    private static partial void LogGone(ILogger logger, string folder, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "SPOOL_DIR {Folder} is back: the node takes events again")]
    private static partial void LogBack(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The node cannot check whether SPOOL_DIR {Folder} is still there: {Error}")]
    private static partial void LogNotLooked(ILogger logger, string folder, string error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Could not write the number of this start to SPOOL_DIR {Folder}: {Error}. Until it can, the node answers events with 503. It "
            + "uploads the batches that wait there, which makes room")]
    private static partial void LogNotCounted(ILogger logger, string folder, string error);
}
