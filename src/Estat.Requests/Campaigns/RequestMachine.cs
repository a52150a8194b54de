// The state machine: every way from one state to another, and no other way. All stores change requests by it.
namespace Estat.Requests.Campaigns;

/// <summary>
/// Pure functions from a request to what becomes of it; null where the step is not allowed from where the request is, which is how repeated and late
/// messages come to nothing. A store writes what is returned on the condition that the request still has the state, generation and fence that it was
/// made from. Times are milliseconds since 1970.
/// </summary>
internal static class RequestMachine
{
    /// <summary>A request that was just accepted into a store that queues it in the same write.</summary>
    internal static RequestRecord Accept(RequestId id, int campaign, long sequence, UserId user, long now) =>
        new(id, campaign, sequence, RequestState.Queued, Generation: 1, Fence: 0, Attempts: 0, new RequestTimes(now, now, 0, 0)) { User = user };

    /// <summary>Decided at once, without a call to anybody: the attempt and its end are one write.</summary>
    internal static RequestRecord? Decide(RequestRecord request, RequestState final, string? reason, long now) =>
        IsWaiting(request) && final is RequestState.Succeeded or RequestState.Rejected
            ? End(AtOnce(request, now), final, reason, now)
            : null;

    /// <summary>An attempt at once that failed.</summary>
    internal static RequestRecord? Fail(RequestRecord request, string failure, int mostAttempts, TimeSpan backoff, long now) =>
        IsWaiting(request)
            ? TryAgain(AtOnce(request, now), failure, mostAttempts, isCounted: true, backoff, now)
            : null;

    /// <summary>An attempt begins; until the lease's end nobody else begins one.</summary>
    internal static RequestRecord? Begin(RequestRecord request, TimeSpan lease, long now) =>
        IsWaiting(request) && request.Due <= now
            ? request with
            {
                State = RequestState.Processing,
                Fence = request.Fence + 1,
                Due = now + (long)lease.TotalMilliseconds,
                Times = request.Times with { Processing = NotBefore(request.Times, now) },
            }
            : null;

    /// <summary>An attempt ends.</summary>
    /// <param name="request">As it is now.</param>
    /// <param name="generation">The attempt's.</param>
    /// <param name="fence">The attempt's.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="mostAttempts">REQUESTS_MAX_ATTEMPTS.</param>
    /// <param name="now">Now.</param>
    internal static RequestRecord? EndAttempt(
        RequestRecord request, int generation, int fence, AttemptResult result, int mostAttempts, long now)
    {
        if (request.State != RequestState.Processing || request.Generation != generation || request.Fence != fence)
        {
            return null;
        }

        RequestRecord next = request with { Result = result.Result, Failure = result.Failure };
        return result.State.IsFinal()
            ? End(next with { Attempts = next.Attempts + (result.State == RequestState.FailedFinal ? 1 : 0) }, result.State, result.Reason, now)
            : TryAgain(next, result.Failure ?? "", mostAttempts, result.IsCounted, result.RetryAfter, now);
    }

    /// <summary>An attempt that has not ended within its lease counts as failed.</summary>
    internal static RequestRecord? LoseLease(RequestRecord request, int mostAttempts, TimeSpan backoff, long now) =>
        request.State == RequestState.Processing && request.Due <= now
            ? TryAgain(request, "The attempt did not end within its lease.", mostAttempts, isCounted: true, backoff, now)
            : null;

    /// <summary>The process that ran its attempt is gone.</summary>
    internal static RequestRecord? Requeue(RequestRecord request, long now) =>
        request.State == RequestState.Processing
            ? request with { State = RequestState.Queued, Due = now, Times = request.Times with { Queued = NotBefore(request.Times, now) } }
            : null;

    /// <summary>Its user takes it back.</summary>
    internal static RequestRecord? Withdraw(RequestRecord request, long now) =>
        IsWaiting(request) ? End(request, RequestState.Rejected, Reasons.Withdrawn, now) : null;

    /// <summary>The operator puts it back into the queue.</summary>
    internal static RequestRecord? Redrive(RequestRecord request, long now) =>
        request.State == RequestState.FailedFinal
            ? request with
            {
                State = RequestState.Queued,
                Generation = request.Generation + 1,
                Attempts = 0,
                Due = now,
                Reason = null,
                Result = null,
                Failure = null,
                Times = request.Times with { Queued = Math.Max(now, request.Times.Final), Processing = 0, Final = 0 },
            }
            : null;

    // An attempt that begins and ends in one write.
    private static RequestRecord AtOnce(RequestRecord request, long now) =>
        request with { Fence = request.Fence + 1, Times = request.Times with { Processing = NotBefore(request.Times, now) } };

    // A clock that is set back does not turn a request's history round.
    private static long NotBefore(RequestTimes times, long now) =>
        Math.Max(now, Math.Max(Math.Max(times.Received, times.Queued), times.Processing));

    private static bool IsWaiting(RequestRecord request) => request.State is RequestState.Received or RequestState.Queued;

    private static RequestRecord End(RequestRecord request, RequestState final, string? reason, long now) =>
        request with { State = final, Reason = reason, Due = 0, Times = request.Times with { Final = NotBefore(request.Times, now) } };

    private static RequestRecord TryAgain(
        RequestRecord request, string failure, int mostAttempts, bool isCounted, TimeSpan backoff, long now)
    {
        RequestRecord failed = request with { Attempts = request.Attempts + (isCounted ? 1 : 0), Failure = failure };
        return failed.Attempts >= mostAttempts ? End(failed, RequestState.FailedFinal, Reasons.AttemptsExhausted, now)
            : failed with
            {
                State = RequestState.Queued,
                Due = now + Math.Max(1, (long)backoff.TotalMilliseconds),
                Times = failed.Times with { Queued = NotBefore(failed.Times, now) },
            };
    }
}
