// Bodies go some time after their requests were decided.
using Estat.Requests.Storing;

namespace Estat.Requests.Hosting;

/// <summary>Looks every ten minutes, and deletes some at a time, so that acceptance does not wait. Bodies of dead letters stay: a redrive needs
/// them.</summary>
/// <param name="store">Where bodies are.</param>
/// <param name="kept">REQUESTS_BODY_RETENTION.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures are told.</param>
internal sealed partial class BodyRetention(IRequestStore store, TimeSpan kept, TimeProvider time, ILogger logger)
{
    private const int Some = 1_000;
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Step, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                while (await store.DropBodiesAsync(time.GetUtcNow() - kept, Some).ConfigureAwait(false) >= Some
                    && !cancellationToken.IsCancellationRequested)
                {
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(logger, error.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old bodies of requests could not be deleted now; it is tried again: {Error}")]
    private static partial void LogFailed(ILogger logger, string error);
}
