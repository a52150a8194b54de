// Decides the requests of webhook campaigns: asks their endpoints.
using Estat.Requests.Campaigns;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Webhooks;

/// <summary>
/// One loop begins attempts, campaigns by turns, each durable before its endpoint is called; each call then runs by itself and ends its attempt. The
/// loop begins a round whenever the bell rings: for a commit, for a call that has ended, and a few times a second for attempts that have become due.
/// </summary>
/// <param name="store">Where requests are.</param>
/// <param name="client">Calls.</param>
/// <param name="bell">Wakes it; once it is closed nothing more begins.</param>
/// <param name="options">Lease and bound.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where endpoints that fail are told.</param>
internal sealed partial class WebhookWorker(
    IRequestStore store, WebhookClient client, WebhookBell bell, RequestsOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BeforeWritingAgain = TimeSpan.FromSeconds(1);

    private readonly List<Task> _calls = [];
    private bool _isStoreFailing;

    /// <summary>What came of calls.</summary>
    internal WebhookCounters Counters { get; } = new();

    /// <summary>Who may call.</summary>
    internal WebhookSlots Slots { get; } = new(options.WebhookCalls, time);

    /// <summary>Runs until the bell is closed and every call has ended, or until it is cancelled, which breaks calls off.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using ITimer looks = time.CreateTimer(_ => bell.Ring(), null, Look, Look);
        bell.Ring();
        try
        {
            await foreach (bool _ in bell.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                while (!bell.IsClosed && !cancellationToken.IsCancellationRequested && await TryRoundAsync(cancellationToken).ConfigureAwait(false))
                {
                }
            }
        }
        finally
        {
            await Task.WhenAll(_calls).ConfigureAwait(false);
        }
    }

    // One commit of the store serves the whole round.
    private async Task<bool> TryRoundAsync(CancellationToken cancellationToken)
    {
        _calls.RemoveAll(call => call.IsCompleted);
        bool any = false;
        (WebhookTurn Turn, Task<IReadOnlyList<Attempt>> Begun)[] turns =
            [.. Slots.Take(store.Campaigns.Where(store.Decides))
                .Select(turn => (turn, store.BeginAttemptsAsync(turn.Campaign.Id, turn.Slots, options.Lease)))];
        foreach ((WebhookTurn turn, Task<IReadOnlyList<Attempt>> begun) in turns)
        {
            IReadOnlyList<Attempt> attempts = await BegunAsync(begun.WaitAsync(cancellationToken)).ConfigureAwait(false);
            Slots.Release(turn.Campaign, turn.Slots - attempts.Count);
            _calls.AddRange(attempts.Select(attempt => CallAsync(turn.Campaign, attempt, cancellationToken)));
            any |= attempts.Count > 0;
        }

        return any;
    }

    private async Task<IReadOnlyList<Attempt>> BegunAsync(Task<IReadOnlyList<Attempt>> begun)
    {
        try
        {
            IReadOnlyList<Attempt> attempts = await begun.ConfigureAwait(false);
            _isStoreFailing = false;
            return attempts;
        }
        catch (StoreException error)
        {
            if (!_isStoreFailing)
            {
                LogNotBegun(logger, error.Message);
            }

            _isStoreFailing = true;
            return [];
        }
    }

    private async Task CallAsync(Campaign campaign, Attempt attempt, CancellationToken cancellationToken)
    {
        try
        {
            bool isProbe = Slots.Begin(campaign);
            WebhookAnswer answer = await client.CallAsync(campaign, attempt, cancellationToken).ConfigureAwait(false);
            Counters.Add(answer.Outcome);
            WebhookVerdict verdict = Slots.End(campaign, isProbe, answer.IsFailure);
            if (verdict.HasTurned)
            {
                Tell(campaign, answer);
            }

            await EndAsync(campaign, attempt, answer.ToResult(attempt.Number, verdict.IsCounted, verdict.LeastWait), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The next start puts the request back into the queue.
        }
        catch (StoreException error)
        {
            LogNotEnded(logger, campaign.Id, attempt.Request.Id, error.Message);
        }
        finally
        {
            Slots.Release(campaign, 1);
            bell.Ring();
        }
    }

    // What the endpoint has decided is worth more than one try, and until the lease has ended nobody else tries this request.
    private async Task EndAsync(Campaign campaign, Attempt attempt, AttemptResult result, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (!await store.EndAttemptAsync(attempt, result).WaitAsync(cancellationToken).ConfigureAwait(false))
                {
                    Counters.Late.Increment();
                    LogLate(logger, campaign.Id, attempt.Request.Id, attempt.Request.Fence);
                }

                return;
            }
            catch (StoreException) when (time.GetUtcNow().ToUnixTimeMilliseconds() < attempt.Request.Due)
            {
                await Task.Delay(BeforeWritingAgain, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void Tell(Campaign campaign, WebhookAnswer answer)
    {
        if (answer.IsFailure)
        {
            LogOpened(logger, campaign.Id, Breaker.Limit, Breaker.Window, answer.Failure!);
        }
        else
        {
            LogClosed(logger, campaign.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {Campaign}: {Failures} of the last {Calls} calls of its webhook failed, so its "
        + "requests wait and a probe is sent every 5 s. The last failure: {Failure}")]
    private static partial void LogOpened(ILogger logger, string campaign, int failures, int calls, string failure);

    [LoggerMessage(Level = LogLevel.Information, Message = "Campaign {Campaign}: its webhook works again")]
    private static partial void LogClosed(ILogger logger, string campaign);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Campaign {Campaign}: the result of request {Request} with fence {Fence} came too late and "
        + "changed nothing")]
    private static partial void LogLate(ILogger logger, string campaign, RequestId request, int fence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhooks are not called: the database cannot write that their attempts begin. {Error}")]
    private static partial void LogNotBegun(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {Campaign}: the answer to request {Request} could not be written, so its webhook is "
        + "called again: {Error}")]
    private static partial void LogNotEnded(ILogger logger, string campaign, RequestId request, string error);
}
