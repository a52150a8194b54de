// How SHUTDOWN_TIMEOUT is shared out once a drain has begun: to the drain, and to ends that others write (Kestrel's, Orleans', the AWS SDK's), which
// have no bounds of their own.
using Estat.Base.Options;
using Estat.Http.Listening;

namespace Estat.Node.Running;

/// <summary>
/// After the drain everything is safe: what does not end in time is left to the process' end, with one line, and the exit code stays the drain's.
/// Without a drain (a start that failed) there is <see cref="WithoutDrain"/> for each.
/// </summary>
internal sealed partial class ShutdownShares(TimeSpan limit, TimeProvider time, ILogger logger)
{
    /// <summary>Kept for the process' own end.</summary>
    internal static readonly TimeSpan Reserve = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan LongestListenerStop = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestClosing = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WithoutDrain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    private TimeSpan _others; // what ends after the drain, besides the listener
    private long? _began;
    private bool _listenerHangs;

    /// <summary>Time for the listener to stop: a fifth of all, 1 s at most.</summary>
    internal TimeSpan ListenerStop { get; } = limit / 5 < LongestListenerStop ? limit / 5 : LongestListenerStop;

    /// <summary>Time that is left.</summary>
    private TimeSpan Left => _began is { } began ? limit - time.GetElapsedTime(began) - Reserve : WithoutDrain;

    /// <summary>The drain begins.</summary>
    internal void Begin() => _began ??= time.GetTimestamp();

    /// <summary>Time for the engine's drain, once the listener's stop and the process' own end have had theirs.</summary>
    /// <param name="others">Time for what else ends after the drain.</param>
    internal TimeSpan LeftForDrain(TimeSpan others)
    {
        _others = others;
        TimeSpan left = Left - ListenerStop - others;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Time for the listener to stop, once the drain has ended: its own, and what the drain left, 5 s at most.</summary>
    internal TimeSpan LeftForListener
    {
        get
        {
            TimeSpan left = Left - _others < LongestClosing ? Left - _others : LongestClosing;
            return left > ListenerStop ? left : ListenerStop;
        }
    }

    /// <summary>
    /// Stops the listener. Who is being answered has three quarters of its time, and then the connection is closed. Closing many may take a busy
    /// machine longer: <see cref="LeftForListener"/>.
    /// </summary>
    internal async Task StopListenerAsync(HttpFront front)
    {
        _listenerHangs = !await TryAsync("stop the listener", LeftForListener, _ => front.StopAsync(ListenerStop * 0.75)).ConfigureAwait(false);
    }

    /// <summary>Lets go of the listener; one whose stop hangs is left as it is.</summary>
    internal Task DisposeListenerAsync(HttpFront front) =>
        _listenerHangs ? Task.CompletedTask : TryAsync("close the listener", WithoutDrain, _ => front.DisposeAsync().AsTask());

    /// <summary>Ends something, or goes on without.</summary>
    /// <param name="what">For the log: what could not be done.</param>
    /// <param name="most">Time for it, if there is that much.</param>
    /// <param name="endAsync">Ends it; is told when its time is over, and may not heed it.</param>
    /// <returns>Whether it has ended, cleanly or not.</returns>
    internal async Task<bool> TryAsync(string what, TimeSpan most, Func<CancellationToken, Task> endAsync)
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
            LogHangs(logger, what, patience.TotalSeconds, GoDuration.Format(limit));
            return false;
        }
        catch (Exception error)
        {
            LogFailed(logger, what, error.GetBaseException().Message);
        }

        return true;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Could not {What} within {Seconds:0.0} s, its part of SHUTDOWN_TIMEOUT={Limit}. The process ends without that. Nothing is lost")]
    private static partial void LogHangs(ILogger logger, string what, double seconds, string limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What} cleanly: {Reason}. Nothing is lost")]
    private static partial void LogFailed(ILogger logger, string what, string reason);
}
