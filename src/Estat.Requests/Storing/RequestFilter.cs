// What the operator searches for.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>All that is set must hold.</summary>
internal sealed record RequestFilter
{
    /// <summary>A campaign's id.</summary>
    public string? CampaignId { get; init; }

    /// <summary>A user.</summary>
    public UserId? User { get; init; }

    /// <summary>A request.</summary>
    public RequestId? Id { get; init; }

    /// <summary>A state.</summary>
    public RequestState? State { get; init; }

    /// <summary>A reason, as a whole.</summary>
    public string? Reason { get; init; }

    /// <summary>Only those that came to their state at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether a request of a campaign that fits, fits.</summary>
    internal bool Takes(RequestRecord request) =>
        (State is null || request.State == State)
        && (Reason is null || request.Reason == Reason)
        && (User is null || (request.User is { } user && user.Equals(User.Value)))
        && (Since is null || LastTime(request.Times) >= Since.Value.ToUnixTimeMilliseconds());

    private static long LastTime(RequestTimes times) => Math.Max(Math.Max(times.Received, times.Queued), Math.Max(times.Processing, times.Final));
}

/// <summary>A part of what was found.</summary>
/// <param name="Requests">In the order of campaign and sequence.</param>
/// <param name="Cursor">Goes on behind them; null at the end. A page may be empty and have one.</param>
internal sealed record RequestPage(IReadOnlyList<RequestRecord> Requests, string? Cursor);
