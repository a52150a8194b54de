// What the disk of the log refuses, told when it begins and when it ends.
using Estat.Base.Journal;
using Estat.Base.Logging;

namespace Estat.Topics.Embedded;

/// <summary>A disk that fails is tried again with each message and once a second; one that hangs takes nothing until it goes on. Any
/// thread.</summary>
/// <param name="folder">The folder, for messages.</param>
/// <param name="logger">Where it is told.</param>
internal sealed partial class LogTrouble(string folder, ILogger logger)
{
    private readonly ToldFault _told = new();
    private volatile string? _failing;
    private volatile string? _hanging;
    private volatile TaskCompletionSource _hung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _ended;

    /// <summary>What is wrong with the disk; null while nothing is.</summary>
    internal string? Fault => _hanging ?? _failing;

    /// <summary>That the disk hangs; null while it does not.</summary>
    internal string? Hanging => _hanging;

    /// <summary>Whether appends failed, and none succeeded since.</summary>
    internal bool IsFailing => _failing is not null;

    /// <summary>Appends that have ended, well or not.</summary>
    internal long Ended => Volatile.Read(ref _ended);

    /// <summary>Ends once the disk hangs.</summary>
    internal Task Hung => _hung.Task;

    /// <summary>An append succeeded.</summary>
    internal void OnAppended()
    {
        Interlocked.Increment(ref _ended);
        if (_failing is not null)
        {
            _failing = null;
            _told.End();
            LogWorks(logger, folder);
        }
    }

    /// <summary>An append failed.</summary>
    internal void OnFailed(JournalFailedException error)
    {
        Interlocked.Increment(ref _ended);
        _failing = $"the disk of TOPICS_DIR ({folder}) refuses messages: {error.InnerException?.Message ?? error.Message}";
        if (_told.IsNews())
        {
            LogFails(logger, folder, error.InnerException?.Message ?? error.Message);
        }
    }

    /// <summary>What waits for the disk has waited for too long, or does so no more.</summary>
    internal void OnWaited(TimeSpan? waited)
    {
        if (waited is { } time && _hanging is null)
        {
            _hanging = $"the disk of TOPICS_DIR ({folder}) has not answered for {time.TotalSeconds:0} s";
            LogHangs(logger, folder, time.TotalSeconds);
            _hung.SetResult();
        }
        else if (waited is null && _hanging is not null)
        {
            _hung = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _hanging = null;
            LogGoesOn(logger, folder);
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The disk of TOPICS_DIR ({Folder}) refuses messages: {Error}. Producers get 503; it is tried again")]
    private static partial void LogFails(ILogger logger, string folder, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The disk of TOPICS_DIR ({Folder}) takes messages again")]
    private static partial void LogWorks(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The disk of TOPICS_DIR ({Folder}) has not answered for {Seconds:0} s. Producers get 503; "
        + "those that wait for it are told that their messages are perhaps there")]
    private static partial void LogHangs(ILogger logger, string folder, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "The disk of TOPICS_DIR ({Folder}) goes on")]
    private static partial void LogGoesOn(ILogger logger, string folder);
}
