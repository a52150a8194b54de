// What the log says of a storage that fails: its beginning, a summary now and then, its end. Each attempt is a debug line, and is counted elsewhere.
namespace Estat.Base.Storage;

/// <summary>One outage at a time, from the first failed attempt to the first that gets through. Safe for concurrent use.</summary>
/// <param name="waiting">Files in the DLQ and segments in the spool that wait.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed partial class StorageOutage(Func<(long Files, int Segments)> waiting, TimeProvider time, ILogger logger)
{
    // After the first minute, after five, then every ten.
    private static readonly TimeSpan First = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Second = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private long? _began;
    private long _attempts;
    private TimeSpan _nextSummary;

    /// <summary>An attempt failed.</summary>
    internal void OnFailed(string key, string error)
    {
        LogAttemptFailed(logger, key, error);
        TimeSpan? elapsed = null;
        long attempts;
        lock (_gate)
        {
            attempts = ++_attempts;
            if (_began is { } began)
            {
                elapsed = time.GetElapsedTime(began);
                if (elapsed < _nextSummary)
                {
                    return;
                }

                _nextSummary = elapsed < Second ? Second : elapsed.Value + Every;
            }
            else
            {
                _began = time.GetTimestamp();
                _nextSummary = First;
            }
        }

        if (elapsed is { } lasts)
        {
            (long files, int segments) = waiting();
            LogStorageStillFails(logger, Text(lasts), attempts, files, segments, error);
        }
        else
        {
            LogStorageBeganToFail(logger, key, error);
        }
    }

    /// <summary>An attempt got through.</summary>
    internal void OnAnswer()
    {
        TimeSpan lasted;
        long attempts;
        lock (_gate)
        {
            if (_began is not { } began)
            {
                return;
            }

            lasted = time.GetElapsedTime(began);
            attempts = _attempts;
            _began = null;
            _attempts = 0;
        }

        (long files, int segments) = waiting();
        LogStorageAnswersAgain(logger, Text(lasted), attempts, files, segments);
    }

    private static string Text(TimeSpan elapsed) =>
        elapsed < First ? $"{elapsed.TotalSeconds:0} s" : elapsed < TimeSpan.FromHours(2) ? $"{elapsed.TotalMinutes:0} min"
            : $"{elapsed.TotalHours:0.0} h";

    [LoggerMessage(Level = LogLevel.Debug, Message = "An attempt to store {Key} failed: {Error}")]
    private static partial void LogAttemptFailed(ILogger logger, string key, string error);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Storage began to fail with {Key}: {Error}. The node keeps the object, tries it again, and still takes events. GET /health/sink "
            + "shows the current state")]
    private static partial void LogStorageBeganToFail(ILogger logger, string key, string error);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Storage has failed for {Elapsed}: {Attempts} attempts so far, {Files} files wait in the DLQ and {Segments} segments in the spool. "
            + "The last error: {Error}")]
    private static partial void LogStorageStillFails(ILogger logger, string elapsed, long attempts, long files, int segments, string error);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Storage answers again after {Elapsed} and {Attempts} failed attempts. The node now uploads {Files} files of the DLQ and "
            + "{Segments} segments of the spool")]
    private static partial void LogStorageAnswersAgain(ILogger logger, string elapsed, long attempts, long files, int segments);
}
