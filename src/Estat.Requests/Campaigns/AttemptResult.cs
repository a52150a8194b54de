// How an attempt ended.
namespace Estat.Requests.Campaigns;

/// <summary>How an attempt ended: final, or to be tried again.</summary>
/// <param name="State">SUCCEEDED, REJECTED or FAILED_FINAL; QUEUED: another attempt, unless it was the last one.</param>
/// <param name="Reason">Why it was rejected or failed.</param>
/// <param name="Result">What the endpoint said besides: JSON text.</param>
/// <param name="Failure">What went wrong, for the operator.</param>
/// <param name="RetryAfter">Until the next attempt.</param>
/// <param name="IsCounted">Whether a failed attempt counts as one: those that were broken off for the campaign's pause do not.</param>
internal sealed record AttemptResult(
    RequestState State, string? Reason = null, string? Result = null, string? Failure = null, TimeSpan RetryAfter = default, bool IsCounted = true);
