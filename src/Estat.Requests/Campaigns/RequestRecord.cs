// A request as its store knows it at one moment.
namespace Estat.Requests.Campaigns;

/// <summary>One user's part in a campaign. Times are milliseconds since 1970, UTC; 0 is never.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CampaignOrdinal">Its campaign.</param>
/// <param name="Sequence">Its number in the campaign, from 1.</param>
/// <param name="State">Where it is.</param>
/// <param name="Generation">1, and 1 more with each redrive.</param>
/// <param name="Fence">Rises with each attempt.</param>
/// <param name="Attempts">Attempts of this generation that failed.</param>
/// <param name="Times">When it came to its states.</param>
internal sealed record RequestRecord(
    RequestId Id, int CampaignOrdinal, long Sequence, RequestState State, int Generation, int Fence, int Attempts, RequestTimes Times)
{
    /// <summary>Whose it is; null once its user was erased.</summary>
    public UserId? User { get; init; }

    /// <summary>Why it was rejected, or failed.</summary>
    public string? Reason { get; init; }

    /// <summary>What the webhook said beside that: JSON text.</summary>
    public string? Result { get; init; }

    /// <summary>What went wrong in the last attempt, for the operator.</summary>
    public string? Failure { get; init; }

    /// <summary>Attempts that this generation has begun, once it is final: those that failed, and the one that decided it.</summary>
    internal int AttemptsBegun => Attempts + (State == RequestState.FailedFinal || Times.Processing == 0 ? 0 : 1);

    /// <summary>When the next attempt may begin, or the running one loses its lease; 0 without.</summary>
    public long Due { get; init; }
}

/// <summary>When a request came to its states, in milliseconds since 1970, UTC; 0 is never.</summary>
/// <param name="Received">Accepted.</param>
/// <param name="Queued">Queued, last.</param>
/// <param name="Processing">Its last attempt began.</param>
/// <param name="Final">Final.</param>
internal readonly record struct RequestTimes(long Received, long Queued, long Processing, long Final);
