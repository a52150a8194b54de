using Estat.Collect.Options;

namespace Estat.Collect.Dlq;

internal sealed partial class DlqDirectory
{
    [LoggerMessage(Level = LogLevel.Information,
        Message = "Found {Files} files with {Events} events of an earlier run in {Folder}; recovery uploads them")]
    private static partial void LogFound(ILogger logger, long files, long events, string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Path}, which a crash had left")]
    private static partial void LogLeftoverRemoved(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "DLQ_FULL=evict: deleted {Path} with {Events} events. Raise DLQ_MAX_SIZE_BYTES or repair storage")]
    private static partial void LogEvicted(ILogger logger, long events, string path);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Cannot read the free space on the disk of {Folder}: {Error}. The node goes by the last reading for DISK_MIN_FREE_BYTES")]
    private static partial void LogFreeSpaceUnknown(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Could not remove {Path}, which belongs to a batch that did not fit: {Error}. The next attempt replaces it")]
    private static partial void LogRemainderKept(ILogger logger, string path, string error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The DLQ {Folder} is full: {Files} files of {Bytes} bytes (DLQ_MAX_SIZE_BYTES), and its disk has {Free} free "
            + "(DISK_MIN_FREE_BYTES). DLQ_FULL={Policy} applies from now on. Repair storage, or make room")]
    private static partial void LogFull(ILogger logger, string folder, long files, long bytes, long free, DlqFullPolicy policy);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The DLQ {Folder} has room again: {Files} files of {Bytes} bytes, and its disk has {Free} free")]
    private static partial void LogRoomAgain(ILogger logger, string folder, long files, long bytes, long free);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "DLQ_DIR {Folder} {Why}. The node writes nothing there, because it would be lost, and answers events with 503. Put the folder "
            + "back, or restart the node with another")]
    private static partial void LogGone(ILogger logger, string folder, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "DLQ_DIR {Folder} is back: the node takes events again")]
    private static partial void LogBack(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The node cannot check whether DLQ_DIR {Folder} is still there: {Error}")]
    private static partial void LogNotLooked(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "{Files} files in {Folder} were removed before they were uploaded: {Events} acknowledged events are lost and counted as dropped "
            + "({Names}). If the files still exist, put them back: the node uploads them")]
    private static partial void LogLost(ILogger logger, int files, string folder, long events, string names);
}
