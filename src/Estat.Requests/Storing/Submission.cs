// What the intake hands to the store, and what it gets back.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>One user's wish to take part.</summary>
/// <param name="CampaignId">A campaign that is there.</param>
/// <param name="Id">Follows from campaign and user.</param>
/// <param name="User">Who.</param>
/// <param name="Body">As it was sent; empty without. The store copies nothing: it must not change.</param>
internal readonly record struct Submission(string CampaignId, RequestId Id, UserId User, ReadOnlyMemory<byte> Body);

/// <summary>How a submission ended.</summary>
internal enum AcceptanceOutcome
{
    /// <summary>It is durable, with a new sequence.</summary>
    Accepted,

    /// <summary>The user has a request already; nothing was written.</summary>
    Known,

    /// <summary>The campaign has not opened.</summary>
    NotYet,

    /// <summary>The campaign has closed.</summary>
    Closed,

    /// <summary>There is no such campaign.</summary>
    NoCampaign,

    /// <summary>Too many wait. Certainly not taken.</summary>
    QueueFull,

    /// <summary>The node is about to end. Certainly not taken.</summary>
    Draining,

    /// <summary>The store was restored from a backup and waits for the operator. Certainly not taken.</summary>
    Held,

    /// <summary>The disk has no room. Certainly not taken.</summary>
    StorageFull,

    /// <summary>The store failed before anything was written. Certainly not taken.</summary>
    NotTaken,

    /// <summary>The store failed at the commit: perhaps taken. The same request again finds out.</summary>
    Unknown,
}

/// <summary>The answer to a submission.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Request">The request; null unless it was accepted or known.</param>
internal readonly record struct Acceptance(AcceptanceOutcome Outcome, RequestRecord? Request = null);

/// <summary>How a withdrawal ended.</summary>
/// <param name="Request">The request as it is now; null when there is none.</param>
/// <param name="Refusal">Why it was not withdrawn; null when it is.</param>
internal sealed record Withdrawal(RequestRecord? Request, string? Refusal);

/// <summary>How a change of a campaign ended.</summary>
internal enum CampaignChangeOutcome
{
    /// <summary>It was made.</summary>
    Created,

    /// <summary>It is as it was asked to be.</summary>
    Changed,

    /// <summary>There is no such campaign.</summary>
    NotFound,

    /// <summary>It has another version than was expected.</summary>
    OtherVersion,

    /// <summary>The rules do not allow it.</summary>
    Refused,
}

/// <summary>How a change of a campaign ended.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Campaign">As it is now; null when there is none.</param>
/// <param name="Refusal">Why not, where rules refused.</param>
internal sealed record CampaignChange(CampaignChangeOutcome Outcome, Campaign? Campaign, string? Refusal = null);
