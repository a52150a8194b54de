// What is left of SHUTDOWN_TIMEOUT once a drain has begun, for ends that others write: Orleans' and the AWS SDK's have no bounds of their own.
using Estat.Base.Options;

namespace Estat.Silo.Hosting;

/// <summary>
/// After the drain everything is safe: what does not end in time is left to the process' end, with one line, and the exit code stays the drain's.
/// Without a drain (a start that failed) there is <see cref="WithoutDrain"/> for each.
/// </summary>
internal sealed partial class EndLimit(TimeSpan limit, TimeProvider time, ILogger logger)
{
    /// <summary>Kept for the process' own end.</summary>
    internal static readonly TimeSpan Reserve = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan WithoutDrain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    private long? _began;

    /// <summary>Time that is left.</summary>
    private TimeSpan Left => _began is { } began ? limit - time.GetElapsedTime(began) - Reserve : WithoutDrain;

    /// <summary>The drain begins.</summary>
    internal void Begin() => _began ??= time.GetTimestamp();

    /// <summary>Ends something, or goes on without.</summary>
    /// <param name="what">For the log: what did not end.</param>
    /// <param name="most">Time for it, if there is that much.</param>
    /// <param name="endAsync">Ends it; is told when its time is over, and may not heed it.</param>
    internal async Task TryAsync(string what, TimeSpan most, Func<CancellationToken, Task> endAsync)
    {
        TimeSpan patience = Left < most ? Left : most;
        patience = patience < Least ? Least : patience;
        using var over = new CancellationTokenSource(patience, time);
        Task ending = Task.Run(() => endAsync(over.Token));
        try
        {
            await ending.WaitAsync(patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!ending.IsCompleted)
        {
            LogHangs(logger, what, GoDuration.Format(limit));
        }
        catch (Exception error)
        {
            LogFailed(logger, what, error.GetBaseException().Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{What} does not end within SHUTDOWN_TIMEOUT={Limit}: the process ends without it. Nothing is lost. The other nodes notice")]
    private static partial void LogHangs(ILogger logger, string what, string limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What} did not end cleanly: {Reason}. Nothing is lost. The other nodes notice")]
    private static partial void LogFailed(ILogger logger, string what, string reason);
}
