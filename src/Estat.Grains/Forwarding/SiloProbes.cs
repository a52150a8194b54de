// How a silo that failed comes back.
using Estat.Base.Storage;

namespace Estat.Grains.Forwarding;

/// <summary>Asks each silo that is avoided, one probe at a time, at growing distances with jitter, until it answers or membership no longer has
/// it.</summary>
/// <param name="onAnswered">Called once for each silo that answered.</param>
/// <param name="time">The clock of the waits.</param>
/// <param name="logger">Where failures and returns are told.</param>
internal sealed partial class SiloProbes(Action<Silo> onAnswered, TimeProvider time, ILogger logger) : IDisposable
{
    // The first is how long a silo that merely stumbled is missed; the bound is how long a silo that is back waits for its work.
    private static readonly Backoff Between = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Begins to ask a silo that has just failed.</summary>
    /// <param name="silo">The silo; it is not being asked already.</param>
    /// <param name="failures">How often it has failed since a packet was last taken: one that answers probes but no packets is asked the more
    /// rarely.</param>
    /// <param name="outcome">How it failed.</param>
    internal void Begin(Silo silo, int failures, CallOutcome outcome)
    {
        LogAvoided(logger, silo.Link.Name, outcome.ToText());
        _ = AskUntilItAnswersAsync(silo, failures);
    }

    /// <summary>No probe begins any more.</summary>
    internal void Stop() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();

    private async Task AskUntilItAnswersAsync(Silo silo, int failures)
    {
        for (int tries = failures; silo.IsListed && !_stop.IsCancellationRequested; tries++)
        {
            try
            {
                await Task.Delay(Between.After(tries), time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (silo.IsListed && await AnswersAsync(silo).ConfigureAwait(false))
            {
                LogAnswersAgain(logger, silo.Link.Name);
                onAnswered(silo);
                return;
            }
        }
    }

    private async Task<bool> AnswersAsync(Silo silo)
    {
        try
        {
            return await silo.Link.ProbeAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogProbeFailed(logger, silo.Link.Name, error.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} gets no packets until it answers a probe: the last call ended with {Outcome}")]
    private static partial void LogAvoided(ILogger logger, string silo, string outcome);

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} answers again")]
    private static partial void LogAnswersAgain(ILogger logger, string silo);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Silo {Silo} does not answer a probe: {Error}")]
    private static partial void LogProbeFailed(ILogger logger, string silo, string error);
}
